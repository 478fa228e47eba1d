"""A bare gRPC server that answers at once: the floor of one hop. `echo.py PORT`."""

import sys

import grpc
import uvloop


async def serve(port: int) -> None:
    server = grpc.aio.server()
    echo = grpc.unary_unary_rpc_method_handler(_echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Echo", {"Call": echo}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


async def _echo(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    del context
    return request


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

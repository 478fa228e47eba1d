"""Asks a service for its health: `python -m services.runtime.probe HOST:PORT [SERVICE]`.

For health checks of containers: exits 0 if the answer is SERVING, 1 otherwise.
"""

import argparse
import sys
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S: Final = 2.0


def main() -> None:
    asked = _arguments().parse_args()
    status = health(asked.address, service=asked.service, timeout_s=asked.timeout_s)
    sys.stdout.write(f"{status}\n")
    sys.exit(status != "SERVING")


def health(address: str, *, service: str = "", timeout_s: float = TIMEOUT_S) -> str:
    """Health of a service as the standard names it, or the gRPC status if it does not tell."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
        except grpc.RpcError as err:
            return str(err.code().name)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Exits 0 if a gRPC service says SERVING.")
    parser.add_argument("address", help="host:port")
    parser.add_argument("service", nargs="?", default="", help="full gRPC name; empty: all of it")
    parser.add_argument("--timeout-s", type=float, default=TIMEOUT_S, help="longest time to wait")
    return parser


if __name__ == "__main__":
    main()

"""Open-loop load from a process of its own: asks at a steady rate, however slowly it is answered.

    python -m tests.fault.burst ADDRESS --rate 40 --seconds 5 --ensemble e --caller name

Writes `begun` when it begins, and in the end one line of JSON per request: when it was due, how
long it took, its status and reason, and whether its refusal said when to come back.
"""

import argparse
import asyncio
import json
import sys
import time

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.load import asking

BEGUN = "begun"


async def main() -> None:
    told = arguments()
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(told.address, options=options) as channel:
        await channel.channel_ready()
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        sys.stdout.write(f"{BEGUN}\n")
        sys.stdout.flush()
        began, sent = time.monotonic(), []
        for nth in range(round(told.rate * told.seconds)):
            await asyncio.sleep(max(0.0, began + nth / told.rate - time.monotonic()))
            sent.append(asyncio.create_task(one(stub, told, nth)))
        lines = await asyncio.gather(*sent)
    sys.stdout.write("\n".join(json.dumps(line) for line in lines) + "\n")


async def one(stub, told, nth):
    at_s, began = time.time(), time.monotonic()
    sent = (("gremium-caller", told.caller),)
    asked = asking(f"{told.caller}{nth}", told.ensemble)
    try:
        reply = await stub.Ask(asked, timeout=told.timeout, metadata=sent)
        ended = {"status": "OK", "right": reply.answer.text == f"{told.caller}{nth}"}
    except grpc.aio.AioRpcError as err:
        ended = {"status": err.code().name, **details(err)}
    return {"at_s": at_s, "took_s": time.monotonic() - began, **ended}


def details(err):
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    status = rpc_status.from_call(err)
    kinds = list(status.details) if status else []
    return {
        "reason": info.reason if any(each.Unpack(info) for each in kinds) else "",
        "retry": any(each.Unpack(retry) for each in kinds),
    }


def arguments():
    parser = argparse.ArgumentParser(description="Ask at a steady rate.")
    parser.add_argument("address")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--ensemble", default="")
    parser.add_argument("--caller", default="burst")
    parser.add_argument("--timeout", type=float, default=20.0)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())

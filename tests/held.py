"""How long an event loop is held up, and a prompt that takes long to look at."""

import asyncio
import itertools
import json
import time

from gremium.v1 import types_pb2

MOST_HELD_S = 0.05
"""Looking at the prompt at once takes two to four times as long."""
_names = itertools.count()


def heavy_prompt():
    """Twenty tools with all the schemas that a request may have, which nobody has seen before."""
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="Which one?")])
    return types_pb2.Prompt(messages=[turn], tools=[_tool(f"t{n}") for n in range(20)])


def _tool(name):
    fields = {f"p{next(_names)}": {"type": ["string", "null"]} for _ in range(140)}
    schema = {"type": "object", "properties": fields}
    return types_pb2.Tool(name=name, parameters_schema_json=json.dumps(schema))


async def most_held_s(begin):
    """CPU seconds of the longest turn of this event loop while something is done.

    It is done twice, and the quicker one counts: what is done first is late for other reasons, too.
    """
    return min([await _held_s(begin()) for _ in range(2)])


async def _held_s(work):
    longest, doing = 0.0, asyncio.ensure_future(work)
    while not doing.done():
        since = time.thread_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.thread_time() - since)
    doing.result()
    return longest

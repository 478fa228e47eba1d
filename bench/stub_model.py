"""An OpenAI-compatible upstream that answers after a fixed delay: `stub_model.py PORT DELAY_MS`."""

import asyncio
import sys

from aiohttp import web

REPLY = (
    b'{"id":"1","object":"chat.completion","model":"stub","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"yes"}}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21}}'
)


def app(delay_s: float) -> web.Application:
    async def complete(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(delay_s)
        return web.Response(body=REPLY, content_type="application/json")

    application = web.Application()
    application.router.add_post("/v1/chat/completions", complete)
    return application


if __name__ == "__main__":
    web.run_app(
        app(float(sys.argv[2]) / 1000),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        print=None,
        access_log=None,
    )

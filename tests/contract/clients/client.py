"""Drives OpenAI's Python SDK, whichever version is on the path.

Reads one command a line from standard input and writes one answer a line to standard output, both
JSON; ``client.mjs`` is the same for Node. Knows nothing of what the answers should be.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from functools import partial
from typing import Any

import openai


class Requests:
    """When each request of a command left, as seconds since the first."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def note(self, request: Any) -> None:
        self.times.append(time.monotonic())

    async def note_async(self, request: Any) -> None:
        self.note(request)

    @property
    def offsets(self) -> list[float]:
        return [round(at - self.times[0], 3) for at in self.times]


def perform(call: str, options: dict[str, Any], arguments: dict[str, Any], sent: Requests) -> Any:
    http = openai.DefaultHttpxClient(event_hooks={"request": [sent.note]})
    with openai.OpenAI(http_client=http, **options) as client:
        if call == "create":
            answer = client.audio.speech.create(**arguments)
            return described(answer.response, answer.content)
        if call == "stream":
            began, first, body = time.monotonic(), None, b""
            with client.audio.speech.with_streaming_response.create(**arguments) as answer:
                for piece in answer.iter_bytes():
                    first = first or time.monotonic() - began
                    body += piece
            return described(answer, body) | {"first": first, "last": time.monotonic() - began}
        if call == "models":
            return {"ids": [model.id for model in client.models.list()]}
        return {"id": client.models.retrieve(**arguments).id}


async def perform_async(
    call: str, options: dict[str, Any], arguments: dict[str, Any], sent: Requests
) -> Any:
    http = openai.DefaultAsyncHttpxClient(event_hooks={"request": [sent.note_async]})
    async with openai.AsyncOpenAI(http_client=http, **options) as client:
        if call == "create":
            answer = await client.audio.speech.create(**arguments)
            return described(answer.response, answer.content)
        if call == "stream":
            began, first, body = time.monotonic(), None, b""
            async with client.audio.speech.with_streaming_response.create(**arguments) as answer:
                async for piece in answer.iter_bytes():
                    first = first or time.monotonic() - began
                    body += piece
            return described(answer, body) | {"first": first, "last": time.monotonic() - began}
        if call == "models":
            return {"ids": [model.id async for model in client.models.list()]}
        return {"id": (await client.models.retrieve(**arguments)).id}


def described(answer: Any, body: bytes) -> dict[str, Any]:
    return {
        "type": answer.headers["content-type"],
        "request_id": answer.headers["x-request-id"],
        "body": base64.b64encode(body).decode(),
    }


def failed(error: Exception) -> dict[str, Any]:
    told = {name: getattr(error, name, None) for name in ("code", "param", "type", "request_id")}
    status = getattr(error, "status_code", None)
    return {"error": {"class": type(error).__name__, "status": status, "text": str(error), **told}}


def main() -> None:
    run_async = sys.argv[1:] == ["async"]
    work = partial(lambda *args: asyncio.run(perform_async(*args))) if run_async else perform
    for line in sys.stdin:
        command, sent = json.loads(line), Requests()
        try:
            answer = work(command["call"], command["options"], command["arguments"], sent)
        except Exception as error:  # noqa: BLE001  whatever the SDK raises is the answer
            answer = failed(error)
        print(json.dumps(answer | {"sent": sent.offsets}), flush=True)


if __name__ == "__main__":
    main()

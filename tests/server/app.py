"""A small ASGI application that misbehaves on request, and the process that serves it.

`python -m tests.server.app '{"drain_seconds": 5}'` prints the port it listens on. It knows nothing
of Django: what it shows is the server alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextvars import ContextVar
from typing import Any

from voxplatform.server import CannotServe, Limits, serve

seen: dict[str, Any] = {"cancelled": 0, "disconnected": 0, "running": 0, "produced": 0}
served_before: ContextVar[str | None] = ContextVar("served_before", default=None)


def note(text: str) -> None:
    """Say something to the test that reads this process's output."""
    print(text, flush=True)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "websocket":
        await WEB_SOCKETS[scope["path"]](scope, receive, send)
    else:
        seen["running"] += 1
        try:
            handler = HANDLERS.get(scope["path"].rpartition("/")[0] or scope["path"], echo)
            await handler(scope, receive, send)
        finally:
            seen["running"] -= 1


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    if os.environ.get("REFUSE_TO_START"):
        await send({"type": "lifespan.startup.failed", "message": "No engine was found."})
        return
    scope["state"]["greeting"] = "hello"
    note("lifespan.startup")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    note(f"lifespan.shutdown running={seen['running']}")
    await send({"type": "lifespan.shutdown.complete"})


async def start(send: Any, status: int = 200, media: bytes = b"application/octet-stream") -> None:
    headers = [(b"content-type", media)]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def answer(send: Any, value: Any) -> None:
    await start(send, media=b"application/json")
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """What of the request arrived here."""
    received = 0
    while True:
        message = await receive()
        received += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    keep = ("path", "root_path", "scheme", "client", "http_version", "method")
    shown = {name: scope[name] for name in keep} | {"before": served_before.get()}
    served_before.set(scope["path"])
    await answer(send, {**shown, "headers": headers, "received": received, "state": scope["state"]})


async def statistics(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await answer(send, {**seen, "tasks": len(asyncio.all_tasks())})


def path_number(scope: dict[str, Any]) -> float:
    return float(scope["path"].rpartition("/")[2])


async def stream(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/stream/N: N chunks of 7,680 bytes, one each 80 ms, each with the time it left."""
    await leave_with_client(receive, paced_chunks(send, int(path_number(scope))))


async def declared(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/declared/N: N bytes, as many as it says, and some time later that they were all."""
    size = int(path_number(scope))
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
    await asyncio.sleep(0.3)
    await send({"type": "http.response.body"})


async def paced_chunks(send: Any, count: int) -> None:
    await start(send)
    begin = time.monotonic()
    for index in range(count):
        await asyncio.sleep(max(0.0, begin + index * 0.08 - time.monotonic()))
        stamp = b"%020d" % time.monotonic_ns()
        await send({"type": "http.response.body", "body": stamp.ljust(7680), "more_body": True})
    await send({"type": "http.response.body"})


async def fill(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/fill/MB: as fast as it is taken, in pieces of 16 KiB."""
    await leave_with_client(receive, filling(send, int(path_number(scope) * 64)))


async def filling(send: Any, pieces: int) -> None:
    await start(send)
    piece = bytes(16384)
    for _ in range(pieces):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        seen["produced"] += len(piece)
    await send({"type": "http.response.body"})


async def leave_with_client(receive: Any, work: Any) -> None:
    """Run the work until it is done or the client has gone, like Django does."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(wait_for_disconnect(receive))
    await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if task.done():
        return task.result()
    task.cancel()
    seen["cancelled"] += 1
    note(f"cancelled {time.monotonic_ns()}")
    return None


async def wait_for_disconnect(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    seen["disconnected"] += 1


async def deaf(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/deaf/N: sends for ever, never looks whether anybody is there, never waits by itself."""
    await start(send)
    while True:
        await send({"type": "http.response.body", "body": bytes(4096), "more_body": True})


async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/slow/SECONDS: nothing, then an answer."""
    await leave_with_client(receive, late_answer(send, path_number(scope)))


async def late_answer(send: Any, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await answer(send, "at last")


async def broken(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/broken/N: N chunks, then an exception."""
    if path_number(scope) == 0:
        raise RuntimeError("broken before the response")
    await start(send)
    for _ in range(int(path_number(scope))):
        await send({"type": "http.response.body", "body": bytes(4096), "more_body": True})
        await asyncio.sleep(0.02)
    raise RuntimeError("broken in the response")


async def unfinished(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/unfinished/0: returns as if all was well, without the end of the response."""
    await start(send)
    await send({"type": "http.response.body", "body": bytes(4096), "more_body": True})


async def echo_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "scope":
            shown = {"scheme": scope["scheme"], "client": scope["client"], "path": scope["path"]}
            await send({"type": "websocket.send", "text": json.dumps(shown)})
        else:
            await send({"type": "websocket.send", "text": message.get("text") or ""})
    note(f"socket closed {message['code']}")


async def slow_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        await asyncio.sleep(0.1)


async def talking_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "bytes": bytes(16384)})
        await asyncio.sleep(0)


async def refusing_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


async def broken_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    raise RuntimeError("broken socket")


HANDLERS = {
    "/stream": stream,
    "/declared": declared,
    "/fill": fill,
    "/deaf": deaf,
    "/slow": slow,
    "/broken": broken,
    "/unfinished": unfinished,
    "/statistics": statistics,
}
WEB_SOCKETS = {
    "/echo": echo_socket,
    "/slow": slow_socket,
    "/talking": talking_socket,
    "/refusing": refusing_socket,
    "/broken": broken_socket,
}


def plausible(headers: list[tuple[bytes, bytes]]) -> bool:
    return (b"authorization", b"Bearer vox_good") in headers


def main() -> None:
    options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    host, port = options.pop("host", "127.0.0.1"), options.pop("port", 0)
    proxies = options.pop("trusted_proxies", [])
    uploads = tuple(tuple(pair) for pair in options.pop("upload_bytes", []))
    try:
        serve(
            application,
            host=host,
            port=port,
            limits=Limits(upload_bytes=uploads, **options),
            plausible=plausible,
            trusted_proxies=proxies,
            ready=lambda host, port: note(f"ready {port}"),
        )
    except CannotServe as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

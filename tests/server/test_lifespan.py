"""The application starts before the server listens and stops after it; failures are a sentence."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from voxplatform.server.lifespan import Lifespan, StartupFailed

from .live import ROOT, serving


def run_app(environment: dict[str, str] | None = None, **options: Any) -> tuple[int, str]:
    """Exit code and output of a server that is expected to end by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.app", json.dumps(options)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.returncode, done.stdout + done.stderr


def test_it_starts_before_listening_and_stops_after_the_last_request() -> None:
    with serving() as server:
        assert server.said == ["lifespan.startup", f"ready {server.port}"]
        assert server.get("/x").json["state"] == {"greeting": "hello"}
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert server.said[-1] == "lifespan.shutdown running=0"


def test_a_start_that_failed_is_one_sentence() -> None:
    code, output = run_app({"REFUSE_TO_START": "1"})
    assert code == 1
    assert output == "No engine was found.\n"


def test_a_taken_port_is_one_sentence_and_nothing_was_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = run_app(port=port)
    assert code == 1
    assert output.startswith(f"Cannot listen on 127.0.0.1 port {port}: Address already in use.")
    assert "lifespan" not in output
    assert "Traceback" not in output


async def test_an_application_without_lifespan_is_served() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("only http here")

    lifespan = Lifespan(application)
    await lifespan.startup()
    await lifespan.shutdown(1)


async def test_an_exception_while_starting_is_a_failed_start() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise RuntimeError("no weights")

    with pytest.raises(StartupFailed, match="no weights"):
        await Lifespan(application).startup()


async def test_an_application_that_does_not_stop_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    lifespan = Lifespan(application)
    await lifespan.startup()
    await lifespan.shutdown(0.05)
    await asyncio.wait_for(cancelled.wait(), 1)


async def test_it_stops_an_application_that_was_still_starting() -> None:
    may_start, stopped = asyncio.Event(), asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await may_start.wait()
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        stopped.set()
        await send({"type": "lifespan.shutdown.complete"})

    lifespan = Lifespan(application)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lifespan.startup(), 0.05)
    asyncio.get_running_loop().call_later(0.05, may_start.set)
    await lifespan.shutdown(2)
    assert stopped.is_set()

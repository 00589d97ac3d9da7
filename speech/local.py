"""Speech for commands on this machine: through the server that runs here, else an engine of their
own.

Either way the text goes the one path, with an account, a quota and a usage row.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User

from accounts.audit import Actor
from accounts.exceptions import InvalidKey
from accounts.models import Account, ApiKey
from speech.engine.types import Samples
from speech.ledger import ledger
from speech.requests import Caller, SpeechRequest
from speech.runtime import runtime
from speech.synthesis import prepare

KEY_NAME = "commands on this machine"
READ_BYTES = 8192


class LocalSpeechError(Exception):
    """The server that runs here refused, in its own sentence, or broke off."""


def account() -> Account:
    """Who pays for commands: the first superuser's account, or ``default``."""
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return Account.objects.for_user(user) if user else Account.objects.default()


def announce(url: str) -> None:
    """Let commands on this machine find the server that is now ready at ``url``."""
    _address_file().write_text(json.dumps({"url": url, "pid": os.getpid()}))


def withdraw() -> None:
    """Take back what this process announced."""
    with suppress(OSError, ValueError, KeyError):
        if json.loads(_address_file().read_text())["pid"] == os.getpid():
            _address_file().unlink()


def _address_file() -> Path:
    return Path(settings.DATA_DIR) / "server.json"


def running_server() -> str | None:
    """The URL of the server that runs on this data directory, if one answers."""
    try:
        url = str(json.loads(_address_file().read_text())["url"])
        with urllib.request.urlopen(f"{url}/livez", timeout=2):  # noqa: S310 - our own address
            return url
    except (OSError, ValueError, KeyError):
        return None


def server_engine() -> dict[str, Any] | None:
    """The engine of the server that runs here, as GET /api/engine tells of it; None without one."""
    if (url := running_server()) is None:
        return None
    with _ask(url, command_key(), "/api/engine") as answer:
        told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def speaking(request: SpeechRequest) -> Iterator[tuple[int, Iterator[Samples]]]:
    """The sample rate and the audio of ``request``, as it is made: float32 mono in -1..1.

    Raises LocalSpeechError when the server refuses, and what ``prepare`` raises otherwise.
    """
    url = running_server()
    with _through_server(url, request) if url else _in_own_engine(request) as speech:
        yield speech


@contextmanager
def _in_own_engine(request: SpeechRequest) -> Iterator[tuple[int, Iterator[Samples]]]:
    ledger().start()
    runtime.start()
    try:
        caller = Caller(account(), "say", f"say_{uuid.uuid4().hex}")
        with asyncio.Runner() as runner, prepare(request, caller) as synthesis:
            chunks = synthesis.chunks(runner.run(synthesis.start()))

            def samples() -> Iterator[Samples]:
                while (chunk := runner.run(anext(chunks, None))) is not None:
                    yield chunk.samples

            yield synthesis.info.sample_rate, samples()
    finally:
        runtime.stop()
        ledger().stop()


@contextmanager
def _through_server(url: str, request: SpeechRequest) -> Iterator[tuple[int, Iterator[Samples]]]:
    key = command_key()
    with _ask(url, key, "/api/engine") as answer:
        rate = int(json.load(answer)["sample_rate"])
    fields = {name: value for name, value in asdict(request).items() if value is not None}
    body = {**fields, "response_format": "pcm", "sample_rate": rate, "stream_format": "audio"}
    with _ask(url, key, "/api/speech", json.dumps(body).encode()) as response:
        yield rate, _samples(response)


def command_key() -> str:
    """The key that commands use: one row, its text kept beside the other secrets."""
    file = Path(settings.DATA_DIR) / "secrets" / "command_key"
    try:
        ApiKey.objects.for_key(file.read_text())
    except (FileNotFoundError, InvalidKey):
        raw, _ = ApiKey.issue(account(), KEY_NAME, ["speech"], by=Actor.of_command("say"))
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(raw)
    return file.read_text()


def _samples(response: HTTPResponse) -> Iterator[Samples]:
    odd = b""
    while piece := _read(response):
        piece = odd + piece
        odd = piece[len(piece) & ~1 :]
        whole = np.frombuffer(piece[: len(piece) & ~1], "<i2")
        yield np.divide(whole, 32_768, dtype=np.float32)


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read1(READ_BYTES)
    except (OSError, HTTPException) as error:
        raise LocalSpeechError("The server broke off before the end.") from error


def _ask(url: str, raw: str, path: str, body: bytes | None = None) -> HTTPResponse:
    headers = {"authorization": f"Bearer {raw}", "content-type": "application/json"}
    request = urllib.request.Request(url + path, body, headers)  # noqa: S310 - our own address
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=60)  # noqa: S310
        return response
    except urllib.error.HTTPError as error:
        raise LocalSpeechError(json.load(error)["error"]["message"]) from error

"""Fetches a whole model: its size first, then its files, and at last its place among the models.

It is gathered in a hidden directory under a lock, so that a half-fetched model is never taken for
one and two processes never fetch the same; what a cut left behind is continued.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import httpx

from speech.engine.voxcpm.checkpoint import (
    KNOWN,
    TOKENIZER,
    VAE,
    WEIGHTS,
    CheckpointError,
    describe_checkpoint,
    directory_name,
    is_whole,
)
from speech.hub.errors import FetchError
from speech.hub.hubs import Hub, RemoteFile
from speech.hub.transfer import PAUSES, Source, places

# The small files beside the weights: settings, tokenizer, licence. Never code.
_SMALL = re.compile(r"[\w-]+\.json|tokenizer\.model|(README|LICENSE|NOTICE)(\.\w+)?")
_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_TIMEOUT = httpx.Timeout(30, connect=10)
# One that was told to stop may need a moment to let go.
_LOCK_SECONDS = 2.0
# Beyond the model itself: a disk filled to its last byte stops the database.
_SPARE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fetched, and how much of it is there."""

    model: str
    hub: str
    files: tuple[RemoteFile, ...]
    present: int
    free: int

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        there = f", {in_words(self.present)} of them here already" if self.present else ""
        return (
            f"{self.model} from {self.hub}: {in_words(self.size)} in {len(self.files)} files"
            f"{there}; {in_words(self.free)} are free on the disk."
        )


class Listener(Protocol):
    """Who wants to hear how it goes."""

    def planned(self, plan: Plan) -> None: ...
    def progress(self, done: int) -> None: ...


def in_words(size: int) -> str:
    """``size`` bytes as people say it: 4.96 GB."""
    for unit, bytes_ in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= bytes_:
            return f"{size / bytes_:.3g} {unit}"
    return f"{size} bytes"


def is_path(model: str) -> bool:
    """Whether ``model`` means a directory of this machine: names and ids go before."""
    return model[:1] in ("/", ".", "~") or (
        directory_name(model) not in KNOWN and Path(model).is_dir()
    )


def have_model(model: str, hub: Hub, models_dir: Path, listener: Listener) -> Path:
    """Link the directory that ``model`` names, or fetch the model. Raises FetchError."""
    if is_path(model):
        return register(Path(model), models_dir)
    return fetch_model(model, hub, models_dir, listener)


def name_of(model: str) -> str:
    """What the model's directory among the models is called."""
    return _resolved(model).name if is_path(model) else directory_name(model)


def fetch_model(
    model: str, hub: Hub, models_dir: Path, listener: Listener, pauses: tuple[float, ...] = PAUSES
) -> Path:
    """Have ``model``, a known name or ``owner/name``, in ``models_dir``, and say where.

    Nothing is fetched when it is there already. Raises FetchError.
    """
    name, model = directory_name(model), hub.model_id(model)
    if not _ID.fullmatch(model) or name.startswith("."):
        raise FetchError(
            f"{model!r} is neither the name of a model, an owner/name nor a directory."
        )
    target, part = models_dir / name, models_dir / f".{name}.part"
    if is_whole(target):
        return target
    with _disk(models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
        with _alone(part), httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
            if is_whole(target):  # another process was quicker
                return target
            part.mkdir(exist_ok=True)
            plan = _plan(model, hub, client, part)
            listener.planned(plan)
            _check_space(plan)
            _bring(plan, Source(client, hub.headers(), pauses), part, listener)
            _install(part, target)
    return target


def register(path: Path, models_dir: Path) -> Path:
    """Link a checkpoint that is on this machine into ``models_dir``. Raises FetchError."""
    path = _resolved(path)
    try:
        describe_checkpoint(path)
    except CheckpointError as error:
        raise FetchError(str(error)) from None
    link = models_dir / path.name
    if path == link.resolve():
        return link
    if os.path.lexists(link) or path.name.startswith("."):
        raise FetchError(
            f"{link} is taken: rename {path}, or name it in SPEECH_MODEL, which needs no link."
        )
    with _disk(models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path, target_is_directory=True)
    return link


def _resolved(path: Path | str) -> Path:
    return Path(os.path.expanduser(path)).resolve()


def discard(name: str, models_dir: Path) -> None:
    """Give up what was fetched of a model that is not there yet. Raises FetchError."""
    part = models_dir / f".{name}.part"
    if not part.exists():
        return
    with _disk(models_dir), _alone(part):
        shutil.rmtree(part)


def _plan(model: str, hub: Hub, client: httpx.Client, part: Path) -> Plan:
    files = _needed(hub.files(client, model), f"{model} on {hub.title}")
    wanted = {path for file in files for path in places(file, part)}
    for stale in set(part.iterdir()) - wanted:  # of another version
        stale.unlink()
    present = sum(path.stat().st_size for path in part.iterdir())
    return Plan(model, hub.title, files, present, shutil.disk_usage(part).free)


def _needed(listed: list[RemoteFile], where: str) -> tuple[RemoteFile, ...]:
    """The files of a checkpoint among ``listed``, the small ones first."""
    by_name = {file.path: file for file in listed}
    missing = [name for name in ("config.json", *TOKENIZER) if name not in by_name]
    big = []
    for choice in (VAE, WEIGHTS):
        found = next((by_name[name] for name in choice if name in by_name), None)
        if found is None:
            missing.append(" or ".join(choice))
        else:
            big.append(found)
    if missing:
        raise FetchError(f"{where} is not a VoxCPM checkpoint: it has no {', no '.join(missing)}.")
    needed = (*(file for file in listed if _SMALL.fullmatch(file.path)), *big)
    for file in needed:
        if not file.digest:
            raise FetchError(f"{where} states no checksum for {file.path}, so it is not fetched.")
    return needed


def _check_space(plan: Plan) -> None:
    missing = plan.size - plan.present
    if plan.free < missing + _SPARE:
        raise FetchError(
            f"There is not enough room on the disk: {plan.model} takes {in_words(missing)} more, "
            f"and {in_words(plan.free)} are free."
        )


def _bring(plan: Plan, source: Source, part: Path, listener: Listener) -> None:
    before = 0
    for file in plan.files:
        source.fetch(file, part, _counted(listener, before))
        before += file.size


def _counted(listener: Listener, before: int) -> Callable[[int], None]:
    return lambda done: listener.progress(before + done)


def _install(part: Path, target: Path) -> None:
    """Move a whole checkpoint to its place, at once; what was broken there gives way."""
    try:
        describe_checkpoint(part)
    except CheckpointError as error:
        raise FetchError(f"What the hub holds is not a usable checkpoint: {error}") from None
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
    part.rename(target)


@contextmanager
def _disk(models_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or models_dir
        raise FetchError(f"{where} cannot be written: {error.strerror}.") from error


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Hold the model's lock; the system lets go of it however this process ends."""
    with part.with_suffix(".lock").open("w") as lock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise FetchError("Another process is fetching this model at this moment.")
            time.sleep(0.1)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

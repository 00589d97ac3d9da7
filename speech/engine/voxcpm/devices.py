"""Which device a setting means: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

Says so in a sentence when that device is not here. Knows nothing of models.
"""

from __future__ import annotations

import json
import subprocess
import sys

import torch

from speech.engine.errors import EngineUnavailable

FREE_MEMORY = (
    "import json, torch; print(json.dumps([torch.cuda.mem_get_info(card)[0]"
    " for card in range(torch.cuda.device_count())]))"
)
FREE_MEMORY_SECONDS = 60


def choose_device(wanted: str) -> str:
    """A device that is here; ``cuda`` is the card with most free memory, ``auto`` the best one."""
    kind, _, card = wanted.strip().lower().partition(":")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    if kind == "cuda" and (not card or card.isdecimal()):
        return f"cuda:{_card(card)}"
    if kind == "mps" and not card:
        if not _has_mps():
            raise EngineUnavailable("The model is to run on mps, but this machine has none.")
        return kind
    if kind == "cpu" and not card:
        return kind
    raise EngineUnavailable(
        f"'{wanted}' is no device to run the model on; auto, cpu, cuda, cuda:0 or mps is."
    )


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _card(wanted: str) -> int:
    if not torch.cuda.is_available():
        raise EngineUnavailable("The model is to run on cuda, but torch finds no such card here.")
    cards = torch.cuda.device_count()
    if not wanted:
        return 0 if cards == 1 else _most_free()
    if int(wanted) >= cards:
        raise EngineUnavailable(
            f"The model is to run on cuda:{wanted}, but there are {cards} cards, counted from 0."
        )
    return int(wanted)


def _most_free() -> int:
    """Asked in a process of its own: to ask a card takes some hundred megabytes of its memory."""
    try:
        answer = subprocess.run(  # noqa: S603 - ours, with nothing from outside
            [sys.executable, "-c", FREE_MEMORY],
            capture_output=True,
            check=True,
            timeout=FREE_MEMORY_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineUnavailable("The cards of this machine do not tell their memory.") from error
    free: list[int] = json.loads(answer.stdout)
    return max(range(len(free)), key=free.__getitem__)

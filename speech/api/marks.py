"""Events that also say what is being spoken when: ``speech.mark``, beside the audio it is in."""

from __future__ import annotations

import asyncio
from typing import Any

from speech.api.responses import EventBody, encoding, event
from speech.engine.types import AudioChunk, Mark
from speech.text import Alignment


class MarkedEvents(EventBody):
    """OpenAI's events, and the engine's marks, which point into the text as it was sent."""

    async def begin(self) -> None:
        plan = self.synthesis.plan
        self._alignment = await asyncio.get_running_loop().run_in_executor(
            encoding, Alignment, plan.spoken, plan.input
        )
        await super().begin()

    def frames(self, encoded: bytes, chunk: AudioChunk | None) -> list[bytes]:
        marks = [event(_shown(mark, self._alignment)) for mark in chunk.marks] if chunk else []
        return marks + super().frames(encoded, chunk)


def _shown(mark: Mark, alignment: Alignment) -> dict[str, Any]:
    offset, length = alignment.written(mark.offset, mark.length)
    return {
        "type": "speech.mark",
        "offset": offset,
        "length": length,
        "time": round(mark.time, 3),
    }

"""A Synthesis as one whole file in memory, for faces that cannot stream: true sizes, and a cap."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from speech.api.responses import encoding
from speech.audio import AudioWriter
from speech.errors import AudioTooLarge
from speech.synthesis import Synthesis


async def recorded(
    synthesis: Synthesis, limit: int, on_chunk: Callable[[], Awaitable[None]]
) -> bytes:
    """All of the audio; ``on_chunk`` is awaited after each piece of it.

    Raises AudioTooLarge beyond ``limit`` bytes: the speaking stops, and is charged as far as it
    had begun.
    """
    plan, run = synthesis.plan, asyncio.get_running_loop().run_in_executor
    file = io.BytesIO()
    writer = AudioWriter(file, plan.response_format, synthesis.info.sample_rate, plan.sample_rate)
    try:
        with synthesis:
            async with aclosing(synthesis.chunks(await synthesis.start())) as chunks:
                async for chunk in chunks:
                    await run(encoding, writer.write, chunk.samples)
                    if _size(file) > limit:
                        raise _stopped(synthesis, limit)
                    await on_chunk()
            await run(encoding, writer.finish)
            if _size(file) > limit:
                raise _stopped(synthesis, limit)
            synthesis.bytes_sent = _size(file)
        return file.getvalue()
    finally:
        # The synthesis keeps the error that stopped it, and that would keep what this frame holds.
        del writer, file


def _size(file: io.BytesIO) -> int:
    return file.getbuffer().nbytes


def _stopped(synthesis: Synthesis, limit: int) -> AudioTooLarge:
    error = AudioTooLarge(
        f"The audio exceeds {limit} bytes, the most that fits into an answer here: "
        "ask for a shorter text or a smaller format, or use the HTTP API."
    )
    synthesis.stop(error)
    return error

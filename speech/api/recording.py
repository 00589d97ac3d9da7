"""A Synthesis as one whole file, for faces that cannot stream: true sizes, and a cap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from tempfile import SpooledTemporaryFile

from speech.api.responses import encoding
from speech.audio import AudioWriter
from speech.errors import AudioTooLarge
from speech.synthesis import Synthesis

Recording = SpooledTemporaryFile[bytes]
# What is larger lies on the disk, in no directory.
_IN_MEMORY = 1024 * 1024


@asynccontextmanager
async def recorded(
    synthesis: Synthesis, limit: int, on_chunk: Callable[[], Awaitable[None]]
) -> AsyncGenerator[Recording]:
    """All of the audio, from its beginning; ``on_chunk`` is awaited after each piece of it. What
    the block cannot do with it counts as our failure to speak.

    Raises AudioTooLarge beyond ``limit`` bytes: the speaking stops, and is charged as far as it
    had begun.
    """
    plan, run = synthesis.plan, asyncio.get_running_loop().run_in_executor
    rate = synthesis.info.sample_rate
    with synthesis, SpooledTemporaryFile(_IN_MEMORY) as file:
        writer = AudioWriter(file, plan.response_format, rate, plan.sample_rate)
        try:
            async with aclosing(synthesis.chunks(await synthesis.start())) as chunks:
                async for chunk in chunks:
                    await run(encoding, writer.write, chunk.samples)
                    _check_size(file, synthesis, limit)
                    await on_chunk()
            await run(encoding, writer.finish)
            synthesis.bytes_sent = _check_size(file, synthesis, limit)
            file.seek(0)
            yield file
        finally:
            # The synthesis keeps the error that stopped it, and that what this frame holds.
            del writer


def _check_size(file: Recording, synthesis: Synthesis, limit: int) -> int:
    size = file.seek(0, 2)
    if size > limit:
        error = AudioTooLarge(
            f"The audio exceeds {limit} bytes, the most that can be had here: "
            "ask for a shorter text or a smaller format, or use the HTTP API."
        )
        synthesis.stop(error)
        raise error
    return size

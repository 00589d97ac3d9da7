"""The child's message loop, beside what its engine does to the process."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import io
import socket

from speech.engine.hosts import protocol
from speech.engine.hosts.child import Child
from speech.engine.tone import ToneEngine


async def test_it_beats_on_while_a_library_has_put_something_else_in_stderr_s_place():
    ours, theirs = socket.socketpair()
    reader, ours_writer = await asyncio.open_connection(sock=ours)
    _, writer = await asyncio.open_connection(sock=theirs)
    child = Child(ToneEngine(), writer)
    with contextlib.redirect_stderr(io.StringIO()):
        beating = asyncio.create_task(child.keep_beating(0.01))
        frames, beats = protocol.FrameBuffer(protocol.TO_HOST), []
        while len(beats) < 3:
            beats += frames.feed(await asyncio.wait_for(reader.read(4096), 5))
    beating.cancel()
    faulthandler.cancel_dump_traceback_later()
    assert all(isinstance(beat, protocol.Beat) for beat in beats)
    for each in (writer, ours_writer):
        each.close()
        await each.wait_closed()

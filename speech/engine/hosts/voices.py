"""Recordings cross to the child once: later utterances name the voice by a number.

A voice is megabytes, and every piece of a text has one. The child forgets what the host tells it to
forget, in the order of their messages, so both always know the same voices. Knows nothing of
sockets.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from speech.engine.hosts import protocol
from speech.engine.hosts.codec import ProtocolError
from speech.engine.types import Recording, Utterance, VoicePrompt, is_of

MOST_BYTES = 64 * 1024 * 1024
"""Of recordings that the child keeps for the host; the oldest are forgotten first."""

Name = tuple[str, int, int]
"""A prompt's key, and the samples of its reference and of what it continues."""

Spoken = protocol.Submit | protocol.Check


class ToldVoices:
    """The host's side: which voices one child knows. Safe to use from any thread."""

    def __init__(self, send: Callable[[protocol.ToChild], None], most: int = MOST_BYTES) -> None:
        self._send = send
        self._most = most
        self._lock = threading.Lock()
        self._ids = count(1)
        self._told: OrderedDict[Name, tuple[int, int]] = OrderedDict()  # number and bytes

    def send(self, message: Spoken) -> None:
        """Send it, and before it the recordings of its voice where they are not known yet.

        Raises ValueError when they are too large for a frame.
        """
        voice = message.utterance.voice
        if voice is None or not _size(voice):
            self._send(message)
            return
        # One lock for both: no other message may come between a voice and who speaks with it.
        with self._lock:
            id = self._tell(voice)
            self._send(replace(message, utterance=replace(message.utterance, voice=None), voice=id))
            self._forget()

    def drop(self, voice: str) -> None:
        """Have the child keep no recordings of this voice, nor what it made of them."""
        with self._lock:
            for name in [name for name in self._told if is_of(name[0], voice)]:
                id, _ = self._told.pop(name)
                self._send(protocol.Forget(id))
            self._send(protocol.Drop(voice))

    def _tell(self, voice: VoicePrompt) -> int:
        name = voice.key, _samples(voice.reference), _samples(voice.prompt)
        if name not in self._told:
            id = next(self._ids)
            self._send(protocol.Keep(id, voice))
            self._told[name] = id, _size(voice)
        self._told.move_to_end(name)
        return self._told[name][0]

    def _forget(self) -> None:
        while sum(size for _, size in self._told.values()) > self._most:
            _, (id, _) = self._told.popitem(last=False)
            self._send(protocol.Forget(id))


class KeptVoices:
    """The child's side."""

    def __init__(self) -> None:
        self._kept: dict[int, VoicePrompt] = {}

    def keep(self, message: protocol.Keep) -> None:
        """Know a voice by its number."""
        self._kept[message.id] = message.voice

    def forget(self, message: protocol.Forget) -> None:
        """Know it no more; who speaks with it already goes on."""
        self._kept.pop(message.id, None)

    def utterance(self, message: Spoken) -> Utterance:
        """What is to be said, with its voice. Raises ProtocolError for an unknown one."""
        if message.voice is None:
            return message.utterance
        if message.voice not in self._kept:
            raise ProtocolError("Nobody has told of this voice.")
        return replace(message.utterance, voice=self._kept[message.voice])


def _samples(recording: Recording | None) -> int:
    return len(recording.samples) if recording else 0


def _size(voice: VoicePrompt) -> int:
    """Bytes that its recordings take on the wire."""
    return 4 * (_samples(voice.reference) + _samples(voice.prompt))

"""Faster or slower speech at the same pitch, piece by piece.

FFmpeg's atempo (WSOLA: windows of the source, overlapped where they match best) through PyAV.
It holds back up to 0.2 s of the source, above double speed 0.3 s.
"""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from .pcm import Samples, silence

MIN_SPEED, MAX_SPEED = 0.25, 4.0

# atempo ends up to a window early and would take the last sound with it: silence behind the last
# sample pushes everything through, and the exact length is cut from that.
_TAIL_SECONDS = 0.5

# atempo loses samples of a first frame that is shorter than a fraction of its window.
_FRAME_SECONDS = 0.05


class Tempo:
    """Changes the tempo of mono float32 at ``sample_rate`` Hz by the factor ``speed``.

    The whole output is ``n / speed`` samples long to the nearest one, and the same however the
    input was cut; speed 1.0 passes the samples through. Raises ``ValueError`` for a speed outside
    0.25-4.0.
    """

    def __init__(self, speed: float, sample_rate: int) -> None:
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise ValueError(f"speed must be {MIN_SPEED} to {MAX_SPEED}")
        self._speed = speed
        self._sample_rate = sample_rate
        self._graph = _atempo_chain(speed, sample_rate) if speed != 1.0 else None
        self._waiting = silence(0.0, sample_rate)
        self._taken = 0
        self._given = 0

    def process(self, samples: Samples) -> Samples:
        """What is ready of the output once ``samples`` are known; may be empty."""
        if self._graph is None:
            return samples
        self._taken += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
        if len(self._waiting) >= _FRAME_SECONDS * self._sample_rate:
            self._push(self._graph)
        return self._pull(self._graph)

    def flush(self) -> Samples:
        """The rest of the output. Nothing may be processed afterwards."""
        if self._graph is None or not self._taken:
            return silence(0.0, self._sample_rate)
        self._waiting = np.concatenate([self._waiting, silence(_TAIL_SECONDS, self._sample_rate)])
        self._push(self._graph)
        self._graph.push(None)
        missing = round(self._taken / self._speed) - self._given
        return self._pull(self._graph)[:missing]

    def output_time(self, seconds: float) -> float:
        """When in the output one hears what stood at ``seconds`` in the input, within 0.1 s."""
        return seconds / self._speed

    def _push(self, graph: Graph) -> None:
        samples, self._waiting = self._waiting, silence(0.0, self._sample_rate)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = self._sample_rate
        frame.time_base = Fraction(1, self._sample_rate)
        graph.push(frame)

    def _pull(self, graph: Graph) -> Samples:
        pieces = [silence(0.0, self._sample_rate)]
        while True:
            try:
                pieces.append(graph.pull().to_ndarray()[0])
            except (BlockingIOError, EOFError):  # empty for now, or for good after the flush
                break
        output = np.concatenate(pieces)
        self._given += len(output)
        return output


def _atempo_chain(speed: float, sample_rate: int) -> Graph:
    """As many equal factors as it takes to keep each within 0.5-2, where atempo skips nothing."""
    count = math.ceil(abs(math.log2(speed)))
    graph = Graph()
    graph.threads = 1  # atempo works on one; FFmpeg would start one for every core
    source = graph.add(
        "abuffer",
        sample_rate=str(sample_rate),
        sample_fmt="flt",
        channel_layout="mono",
        time_base=f"1/{sample_rate}",
    )
    filters = [graph.add("atempo", f"{speed ** (1 / count):.9f}") for _ in range(count)]
    graph.link_nodes(source, *filters, graph.add("abuffersink")).configure()
    return graph

"""Outbox: brings audio to the host while the device goes on with the next pass.

On CUDA the copy runs on a stream of its own, so that its end can be waited for alone; elsewhere
results are on the host already. Knows nothing of slots.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from speech.engine.types import Samples

Collect = Callable[[], tuple[Samples, list[bool]]]


class Outbox:
    """For batches of at most ``rows``, whose audio is ``samples`` long."""

    def __init__(self, device: torch.device, rows: int, samples: int) -> None:
        self._device = device
        self.overlaps = device.type == "cuda"
        """Whether further work can be given to the device before the audio is collected."""
        if self.overlaps:
            self._stream = torch.cuda.Stream(device)
            self._made = torch.cuda.Event()
            self._copied = torch.cuda.Event()
            self._audio = torch.empty(rows, samples, pin_memory=True)
            self._stops = torch.empty(rows, dtype=torch.bool, pin_memory=True)

    def send(self, audio: Tensor, stops: Tensor) -> Collect:
        """Begin to copy [B, N] and [B]; the result waits for them and gives them to the host,
        until the next batch is sent. One batch at a time: collect before sending again."""
        if not self.overlaps:
            return lambda: (audio.cpu().numpy(), stops.tolist())
        count = len(audio)
        self._made.record(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            self._stream.wait_event(self._made)
            self._audio[:count].copy_(audio, non_blocking=True)
            self._stops[:count].copy_(stops, non_blocking=True)
            self._copied.record(self._stream)
        return lambda: self._collect(count)

    def _collect(self, count: int) -> tuple[Samples, list[bool]]:
        self._copied.synchronize()
        samples: Samples = self._audio[:count].numpy()
        return samples, self._stops[:count].tolist()

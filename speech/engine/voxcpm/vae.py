"""AudioVAE for many streams: each decodes its new latents alone, and goes on where it stopped.

The official decoder is causal; what a stream must remember of its past (about half a megabyte) is
a row here. ``decode`` has no branches on data, waits for nothing and keeps its addresses, so that
it can be captured or compiled. Knows no requests: who has which row is the caller's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from speech.engine.voxcpm.fusing import Fuse
from speech.engine.voxcpm.vae_folding import fold_decoder, fold_encoder
from speech.engine.voxcpm.vae_layers import Chain, Layer

Precision = Literal["exact", "tf32", "bf16"]
# Frames. On the CPU more would leave its cache, and less would read the weights too often.
ENCODED_AT_ONCE = {"cpu": 64}
ENCODED_AT_ONCE_ELSEWHERE = 1024


@dataclass(frozen=True)
class State:
    """What one stream's decoder remembers."""

    values: Tensor

    @property
    def nbytes(self) -> int:
        return self.values.nbytes


class StreamingVAE:
    """``slots`` rows for streams, and one more, of no stream, for what fills up a batch."""

    def __init__(self, vae: Any, slots: int, precision: Precision = "exact") -> None:
        self.device = next(vae.parameters()).device
        self.sample_rate: int = vae.sample_rate
        self.out_sample_rate: int = getattr(vae, "out_sample_rate", vae.sample_rate)
        self.hop: int = vae.chunk_size
        self.hop_out: int = getattr(vae, "decode_chunk_size", vae.chunk_size)
        self.latent_dim: int = vae.latent_dim
        self.slots, self.scratch_row = slots, slots
        # Of the process: there is no other. By itself torch rounds convolutions, not products.
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        half = precision == "bf16"
        self._decoder = Chain(fold_decoder(vae, half)).to(self.device)
        self._encoder = Chain(fold_encoder(vae.encoder, half)).to(self.device)
        self.state = torch.zeros(slots + 1, self._decoder.context, device=self.device)

    def fuse(self, fuse: Fuse) -> None:
        """Let ``fuse`` make single kernels of what ``decode`` would do in several."""
        for layer in self._decoder.modules():
            if isinstance(layer, Layer):
                layer.fuse(fuse)

    def decode(self, latents: Tensor, rows: Tensor) -> Tensor:
        """The samples [B, P x hop_out] of the next latents [B, D, P] of these rows."""
        samples, state = self._decode(latents, self.state.index_select(0, rows))
        self.state.index_copy_(0, rows, state)
        return samples

    def reset(self, row: int) -> None:
        """Let a new stream begin in this row."""
        self.state[row].zero_()

    def prime(self, latents: Tensor) -> State:
        """What a stream remembers after these latents [D, T]; no row is touched."""
        _, state = self._decode(latents[None], torch.zeros_like(self.state[:1]))
        return State(state[0])

    def restore(self, row: int, state: State) -> None:
        """Let a stream go on in this row after what ``prime`` has decoded."""
        self.state[row].copy_(state.values)

    def encode(self, samples: Tensor) -> Tensor:
        """The latents [D, T] of samples [N], filled up with silence to whole frames."""
        samples = samples.to(self.device, torch.float32)
        samples = F.pad(samples, (0, -len(samples) % self.hop))
        state = samples.new_zeros(1, self._encoder.context)
        size = self.hop * ENCODED_AT_ONCE.get(self.device.type, ENCODED_AT_ONCE_ELSEWHERE)
        latents = []
        for piece in samples.split(size):
            frames, kept = self._encoder(piece[None, :, None], state)
            state = torch.cat(kept, 1)
            latents.append(frames[0])
        return torch.cat(latents).T.contiguous()

    def _decode(self, latents: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        samples, kept = self._decoder(latents.transpose(1, 2).float().contiguous(), state)
        return samples.flatten(1), torch.cat(kept, 1)

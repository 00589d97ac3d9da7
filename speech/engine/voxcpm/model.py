"""BatchedModel: the official package's modules and weights, driven for many slots at once.

``emit`` makes what the client waits for, ``advance`` moves on to the next patch; both are pure
functions of resident tensors and their arguments, without a look from the host. Follows
``voxcpm.model.voxcpm`` and ``voxcpm2``, to whose results its own are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from speech.engine.voxcpm.attention import CachedAttention, Rotation, SlotCache
from speech.engine.voxcpm.fusing import Fuse
from speech.engine.voxcpm.slots import SlotState
from speech.engine.voxcpm.solver import schedule, solve, step
from speech.engine.voxcpm.transformer import Transformer


class BatchedModel(nn.Module):
    """Both language models, the local encoder and the local diffusion transformer over slots."""

    def __init__(self, model: Any, slots: int, length: int) -> None:
        """``model`` is a loaded VoxCPMModel or VoxCPM2Model; ``length`` is positions per slot."""
        super().__init__()
        self.slots = slots
        self.length = length
        self.patch_size: int = model.patch_size
        self.feat_dim: int = model.feat_dim
        self.embedding: nn.Embedding = model.base_lm.embed_tokens
        lm_config = model.config.lm_config
        self.embedding_scale: float = lm_config.scale_emb if lm_config.use_mup else 1.0
        self.base_lm = Transformer(model.base_lm)
        self.residual_lm = Transformer(model.residual_lm)
        self.quantizer: nn.Module = model.fsq_layer
        # VoxCPM2 joins a hidden state and a patch by a projection, its predecessors by a sum.
        self.join: nn.Linear | None = getattr(model, "fusion_concat_proj", None)
        self.stop_head = nn.Sequential(model.stop_proj, model.stop_actn, model.stop_head)

        self.encoder = Transformer(model.feat_encoder.encoder)
        self.encoder_input: nn.Linear = model.feat_encoder.in_proj
        self.special_token: nn.Parameter = model.feat_encoder.special_token
        self.encoder_output: nn.Linear = model.enc_to_lm_proj

        estimator = model.feat_decoder.estimator
        self.mean_mode: bool = model.feat_decoder.mean_mode
        self.estimator = Transformer(estimator.decoder)
        self.estimator_input: nn.Linear = estimator.in_proj
        self.estimator_condition: nn.Linear = estimator.cond_proj
        self.estimator_output: nn.Linear = estimator.out_proj
        self.time_embedding: nn.Module = estimator.time_embeddings
        self.time_mlp: nn.Module = estimator.time_mlp
        self.delta_time_mlp: nn.Module = estimator.delta_time_mlp
        self.base_to_estimator: nn.Linear = model.lm_to_dit_proj
        self.residual_to_estimator: nn.Linear = model.res_to_dit_proj

        weight = self.embedding.weight
        self.device, self.dtype = weight.device, weight.dtype
        hidden = weight.shape[1]
        self.base_cache = self._cache(self.base_lm)
        self.residual_cache = self._cache(self.residual_lm)
        self.state = SlotState(
            slots,
            hidden,
            (self.patch_size, self.feat_dim),
            self.estimator_input.out_features,
            self.device,
            self.dtype,
        )
        self.timed = lru_cache(maxsize=32)(self._timed)
        self.step: Callable[..., tuple[Tensor, Tensor]] = step

    def fuse(self, fuse: Fuse) -> None:
        """Let ``fuse`` make one kernel of what would be several, where products allow it."""
        self.step = fuse(step)
        for part in self.transformers:
            part.fuse(fuse)

    @property
    def transformers(self) -> tuple[Transformer, ...]:
        """All there are."""
        return self.base_lm, self.residual_lm, self.encoder, self.estimator

    def _cache(self, transformer: Transformer) -> SlotCache:
        layers, groups, size = transformer.shape
        return SlotCache(layers, self.slots, self.length, groups, size, self.device, self.dtype)

    # -- what goes in

    def embed_text(self, tokens: Tensor) -> Tensor:
        """Token ids [N] to embeddings [N, H]."""
        return self.embedding(tokens) * self.embedding_scale

    def embed_patches(self, patches: Tensor) -> Tensor:
        """Latent patches [N, P, C] to embeddings [N, H], as the language models hear them."""
        tokens = self.encoder_input(patches)
        special = self.special_token[0].expand(len(patches), 1, -1)
        tokens = torch.cat((special, tokens), dim=1)
        rotation = self.encoder.rotation(torch.arange(tokens.shape[1], device=self.device))
        first = self.encoder(tokens, rotation, kept=slice(0, 1))
        return self.encoder_output(first[:, 0])

    def begin(self, row: int, timesteps: int, guidance: float, patch: Tensor | None) -> None:
        """Set a slot up for a sequence; ``patch`` [P, C] is the last one of its prompt audio."""
        state = self.state
        state.clear(row)
        tokens, sizes = self.timed(timesteps)
        state.time_tokens[row, : len(tokens)] = tokens
        state.step_sizes[row, : len(sizes)] = sizes
        state.guidance[row] = guidance
        if patch is not None:
            state.patch[row] = patch

    def _timed(self, timesteps: int) -> tuple[Tensor, Tensor]:
        """A schedule's times as tokens [E, H'], and its step sizes [E]."""
        times, sizes = schedule(timesteps, self.dtype, self.device)
        if not len(times):
            return times.new_zeros(0, self.estimator_input.out_features), sizes
        deltas = sizes if self.mean_mode else torch.zeros_like(sizes)
        embed = self.time_embedding
        tokens = self.time_mlp(embed(times.to(self.dtype)).to(self.dtype))
        return tokens + self.delta_time_mlp(embed(deltas.to(self.dtype)).to(self.dtype)), sizes

    # -- the steps

    def prefill(
        self,
        rows: Tensor,
        text: Tensor,
        audio: Tensor,
        is_audio: Tensor,
        positions: Tensor,
        last: Tensor,
        bucket: int,
    ) -> None:
        """Consume a piece of the prompts of ``rows`` [B].

        ``text`` and ``audio`` [B, T, H] are embeddings, zero where ``is_audio`` [B, T] says that
        the other one counts. Padding stands at position ``length``; ``last`` [B] is each row's
        last token that is not padding. Nothing beyond ``bucket`` positions is looked at.
        """
        base = CachedAttention(self.base_cache, rows, positions, bucket)
        hidden = self.base_lm(text + audio, self.base_lm.rotation(positions), base)
        hidden = torch.where(is_audio.unsqueeze(-1), self.quantizer(hidden), hidden)
        residual = self._run_residual(rows, hidden, audio, positions, bucket)
        batch = torch.arange(len(rows), device=self.device)
        self._settle(rows, hidden[batch, last], residual[batch, last], positions[batch, last] + 1)

    def emit(self, rows: Tensor, noise: Tensor, count: int, guided: Tensor) -> Tensor:
        """The next patch of ``rows`` [B] from ``noise`` [B, P, C]: latents [B, P, C].

        ``count`` is the most evaluations that a row's schedule has; ``guided`` holds the places in
        the batch whose guidance is not 1: only they need the free half. Changes nothing: ``keep``
        does, when all that can fail is done.
        """
        state = self.state
        both = torch.cat((torch.arange(len(rows), device=self.device), guided))
        condition = self._condition(rows)
        free = condition.new_zeros(len(guided), *condition.shape[1:])
        condition = torch.cat((condition, free))
        before = self.estimator_condition(state.patch.index_select(0, rows))[both]
        times = state.time_tokens.index_select(0, rows)[both]
        strength = state.guidance.index_select(0, rows)[guided].view(-1, 1, 1)
        length = condition.shape[1] + (self.join is not None) + 2 * self.patch_size
        rotation = self.estimator.rotation(torch.arange(length, device=self.device))

        def field(index: int, patch: Tensor) -> Tensor:
            tokens = self.estimator_input(patch)[both]
            return self._estimate(condition, times[:, index], before, tokens, rotation)

        sizes = state.step_sizes.index_select(0, rows)
        return solve(noise, field, sizes, (guided, strength), count, self.step)

    def keep(self, rows: Tensor, patch: Tensor) -> None:
        """What ``emit`` made for ``rows`` was spoken: the next patch follows it."""
        self.state.patch.index_copy_(0, rows, patch)

    def advance(self, rows: Tensor, bucket: int) -> None:
        """Let the language models hear the patch that ``emit`` made for ``rows``."""
        audio = self.embed_patches(self.state.patch.index_select(0, rows)).unsqueeze(1)
        positions = self.state.positions.index_select(0, rows).unsqueeze(1)
        base = CachedAttention(self.base_cache, rows, positions, bucket)
        hidden = self.base_lm(audio, self.base_lm.rotation(positions), base)
        hidden = self.quantizer(hidden)
        residual = self._run_residual(rows, hidden, audio, positions, bucket)
        self._settle(rows, hidden[:, 0], residual[:, 0], positions[:, 0] + 1)

    def _run_residual(
        self, rows: Tensor, hidden: Tensor, audio: Tensor, positions: Tensor, bucket: int
    ) -> Tensor:
        joined = hidden + audio
        if self.join is not None:
            joined = self.join(torch.cat((hidden, audio), dim=-1))
        attention = CachedAttention(self.residual_cache, rows, positions, bucket)
        return self.residual_lm(joined, self.residual_lm.rotation(positions), attention)

    def _settle(self, rows: Tensor, hidden: Tensor, residual: Tensor, positions: Tensor) -> None:
        """Keep what the next patch is made from, and whether it will be the last."""
        state = self.state
        # Padding stands at the position behind the last, and must not leave it.
        positions = positions.clamp(max=self.length)
        state.hidden.index_copy_(0, rows, hidden)
        state.residual.index_copy_(0, rows, residual)
        state.positions.index_copy_(0, rows, positions)
        state.stop.index_copy_(0, rows, self.stop_head(hidden).argmax(dim=-1) == 1)

    def _condition(self, rows: Tensor) -> Tensor:
        """What the estimator knows of the text: [B, 1 or 2, H']."""
        base = self.base_to_estimator(self.state.hidden.index_select(0, rows))
        residual = self.residual_to_estimator(self.state.residual.index_select(0, rows))
        if self.join is None:
            return (base + residual).unsqueeze(1)
        return torch.stack((base, residual), dim=1)

    def _estimate(
        self,
        condition: Tensor,
        time: Tensor,
        before: Tensor,
        patch: Tensor,
        rotation: Rotation | None,
    ) -> Tensor:
        """The velocity [N, P, C] of patches [N, P, H']; VoxCPM2 gives time a token of its own."""
        time = time.unsqueeze(1)
        head = (condition + time,) if self.join is None else (condition, time)
        tokens = torch.cat((*head, before, patch), dim=1)
        kept = slice(tokens.shape[1] - self.patch_size, None)
        return self.estimator_output(self.estimator(tokens, rotation, kept=kept))

    # -- a slot's memory

    def prefix(self, row: int, length: int) -> tuple[Tensor, Tensor]:
        """A copy of what both language models remember of a slot's first positions."""
        return self.base_cache.prefix(row, length), self.residual_cache.prefix(row, length)

    def restore(self, row: int, prefix: tuple[Tensor, Tensor]) -> None:
        """Let a slot remember a prefix that another one has consumed."""
        self.base_cache.restore(row, prefix[0])
        self.residual_cache.restore(row, prefix[1])

    def clear(self, row: int, length: int) -> None:
        """Forget a sequence: what is masked out still counts where it is not a number."""
        self.base_cache.clear(row, length)
        self.residual_cache.clear(row, length)
        self.state.clear(row)

"""ModelRunner: the only code that runs the network.

Slots go through ``begin``, ``prefill`` until ready, then ``emit`` and ``advance`` patch by patch,
and ``release``. One thread at a time; it knows nothing of streams, queues or time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from speech.engine.errors import EngineUnavailable, InvalidUtterance, UnsupportedByEngine
from speech.engine.types import FinishReason, Samples, Utterance
from speech.engine.voxcpm.attention import length_bucket
from speech.engine.voxcpm.config import VoxCPMConfig
from speech.engine.voxcpm.loaded import Loaded, load
from speech.engine.voxcpm.memory import is_out_of_memory, return_memory
from speech.engine.voxcpm.occupant import Occupant
from speech.engine.voxcpm.passes import Piece
from speech.engine.voxcpm.prompt import (
    GUIDANCE,
    LEAST_PATCHES,
    TIMESTEPS,
    Prompt,
    ceiling,
    common_length,
    lay_out,
    shared_length,
    spoken_text,
)
from speech.engine.voxcpm.recordings import CONTEXT_PATCHES
from speech.engine.voxcpm.solver import evaluations
from speech.engine.voxcpm.voice_cache import Prefix


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A slot's next audio; ``reason`` says why it is the last."""

    slot: int
    samples: Samples
    reason: FinishReason | None

    @property
    def last(self) -> bool:
        """Nothing follows it."""
        return self.reason is not None


class ModelRunner:
    """A model, while it is loaded, and its slots."""

    def __init__(self, config: VoxCPMConfig) -> None:
        self._config = config
        self._loaded: Loaded | None = None
        self._occupants: dict[int, Occupant] = {}
        self._is_ahead = False  # of the host: ``advance`` was done with the last ``emit``

    # -- the model

    def load(self) -> None:
        """Make the model ready. Raises EngineUnavailable with a sentence that says why not."""
        self._loaded = load(self._config)

    def unload(self) -> None:
        """Give the memory back, to the device and to the system."""
        self._occupants.clear()
        self._loaded = None
        return_memory()

    def forget(self, voice: str) -> None:
        """Keep no features of this voice; who speaks with it has its own."""
        if self._loaded is not None:
            self._loaded.voices.forget(voice)

    @property
    def loaded(self) -> Loaded:
        """The loaded model. Raises EngineUnavailable while there is none."""
        if self._loaded is None:
            raise EngineUnavailable("The model is not loaded.")
        return self._loaded

    @property
    def notice(self) -> str:
        """What runs otherwise than was asked for; "" when nothing does, or nothing is loaded."""
        return self._loaded.notice if self._loaded else ""

    @property
    def slots(self) -> int:
        """Sequences that the loaded model can carry at the same time."""
        return self.loaded.model.slots

    @property
    def prefill_budget(self) -> tuple[int, int]:
        """The most positions of a pass over prompts, and the most passes between two steps."""
        return self.loaded.prefill

    # -- a sequence's life

    def prepare(self, utterance: Utterance, seed: int) -> Prompt:
        """Tokenize and lay out. Called from any thread.

        Raises InvalidUtterance, or UnsupportedByEngine where VoxCPM2 could do it.
        """
        loaded = self.loaded
        voice = utterance.voice
        reference = loaded.recordings.count_patches(voice.reference if voice else None)
        continued = loaded.recordings.count_patches(voice.prompt if voice else None)
        self._check_voice(utterance, reference, continued)
        target = spoken_text(utterance)
        transcript = (voice.prompt.transcript or "") if voice and voice.prompt else ""
        text = loaded.tokenize(transcript + target)
        tokens = lay_out(text, reference, continued)
        if max(tokens) >= loaded.model.embedding.num_embeddings:
            raise InvalidUtterance("The text has a sign that the model does not know.")
        room = loaded.model.length - len(tokens)
        if room <= LEAST_PATCHES:
            raise InvalidUtterance("The text and the voice's recording are too long together.")
        params = utterance.params
        return Prompt(
            tokens=tokens,
            shared=shared_length(reference, loaded.tokenize(transcript), text),
            voice=voice if reference or continued else None,
            text=target,
            seed=seed,
            max_patches=ceiling(len(loaded.tokenize(target)), params.max_new_tokens, room),
            timesteps=params.inference_timesteps or TIMESTEPS,
            guidance=GUIDANCE if params.cfg_value is None else params.cfg_value,
            remember=utterance.remember,
        )

    def _check_voice(self, utterance: Utterance, reference: int, continued: int) -> None:
        voice = utterance.voice
        if voice is None:
            return
        architecture = self.loaded.architecture
        if voice.reference is not None and architecture != "voxcpm2":
            raise UnsupportedByEngine(
                "This model clones a voice only from a recording with its transcript; "
                "voxcpm2 needs none.",
                "voice",
            )
        if voice.prompt is not None and not voice.prompt.transcript:
            raise InvalidUtterance("A recording to continue needs its transcript.", "voice")
        if voice.prompt is not None and continued < CONTEXT_PATCHES[architecture]:
            raise InvalidUtterance("The voice's recording is too short.", "voice")

    @torch.inference_mode()
    def begin(self, slot: int, prompt: Prompt) -> None:
        """Give ``slot`` to a sequence. A voice that is not in the cache is encoded now."""
        loaded = self.loaded
        features = loaded.features(prompt.voice) if prompt.voice else None
        occupant = Occupant.of(prompt, features, loaded.model)
        continued = features.prompt if features else None
        loaded.model.begin(
            slot,
            prompt.timesteps,
            prompt.guidance,
            continued.latents[-1] if continued else None,
        )
        if features and features.state is not None:
            loaded.vae.restore(slot, features.state)
        else:
            loaded.vae.reset(slot)
        if features and features.prefix is not None:
            # Not always all of it: a token may end elsewhere in front of another text.
            occupant.position = common_length(features.prefix.tokens, prompt.tokens)
            loaded.model.restore(slot, features.prefix.first(occupant.position))
        self._occupants[slot] = occupant

    @torch.inference_mode()
    def prefill(self, slots: list[int], budget: int) -> list[int]:
        """Show the model at most ``budget`` prompt tokens of ``slots``, first come first served.

        Returns the slots that are ready to speak now.
        """
        takes: list[tuple[int, int]] = []
        for slot in slots:
            take = min(self._occupants[slot].to_consume, budget)
            if take:
                takes.append((slot, take))
            budget -= take
        if takes:
            self._consume(takes)
        ready = [slot for slot, _ in takes if not self._occupants[slot].to_consume]
        for slot in ready:
            self._keep_prefix(slot)
        return ready

    def _consume(self, takes: list[tuple[int, int]]) -> None:
        model = self.loaded.model
        batch, longest = len(takes), max(take for _, take in takes)
        hidden = model.state.hidden.shape[1]
        text = torch.zeros(batch, longest, hidden, device=model.device, dtype=model.dtype)
        audio = torch.zeros_like(text)
        is_audio = torch.zeros(batch, longest, device=model.device, dtype=torch.bool)
        positions = torch.full((batch, longest), model.length)
        end = 0
        for row, (slot, take) in enumerate(takes):
            occupant = self._occupants[slot]
            part = slice(occupant.position, occupant.position + take)
            text[row, :take] = occupant.text[part]
            audio[row, :take] = occupant.audio[part]
            is_audio[row, :take] = occupant.is_audio[part]
            positions[row, :take] = torch.arange(part.start, part.stop)
            end = max(end, part.stop)
        piece = Piece(
            torch.tensor([slot for slot, _ in takes], device=model.device),
            text,
            audio,
            is_audio,
            positions.to(model.device),
            torch.tensor([take - 1 for _, take in takes], device=model.device),
        )
        self.loaded.passes.prefill(piece, length_bucket(end, model.length))
        for slot, take in takes:  # not sooner: a pass that fails may be tried again
            self._occupants[slot].position += take

    def _keep_prefix(self, slot: int) -> None:
        """The next utterance of the same voice need not read again what stands before its text."""
        occupant = self._occupants[slot]
        prompt, features = occupant.prompt, occupant.features
        if prompt.voice and features and prompt.shared and features.prefix is None:
            memory = self.loaded.model.prefix(slot, prompt.shared)
            features.prefix = Prefix(prompt.tokens[: prompt.shared], *memory)
            self.loaded.voices.grown(prompt.voice.key)

    @torch.inference_mode()
    def emit(self, slots: list[int]) -> list[Patch]:
        """One patch of audio for each of ``slots``."""
        loaded = self.loaded
        occupants = [self._occupants[slot] for slot in slots]
        audio, latents, stops = loaded.passes.emit(
            slots,
            torch.stack([self._noise(each) for each in occupants]),
            max(evaluations(each.prompt.timesteps) for each in occupants),
            [place for place, each in enumerate(occupants) if each.prompt.guidance != 1.0],
        )
        for latent, occupant in zip(latents, occupants, strict=True):
            occupant.drawn = None
            if occupant.prompt.remember:
                occupant.latents.append(latent.clone())
        collect = loaded.outbox.send(audio, stops)
        self._is_ahead = loaded.outbox.overlaps and self._advance_early(slots)
        samples, believed = collect()
        return [
            # A copy: a reader that is late must not keep what all others have heard.
            Patch(slot, samples[place].copy(), occupant.count_patch(believed[place]))
            for place, (slot, occupant) in enumerate(zip(slots, occupants, strict=True))
        ]

    def _noise(self, occupant: Occupant) -> Tensor:
        """The noise [P, C] that the package would draw for this patch, in the order it would. It
        stays until the patch is made: a pass that has failed may be tried again."""
        if occupant.drawn is None:
            model, source = self.loaded.model, occupant.noise
            shape = (1, model.feat_dim, model.patch_size)
            drawn = torch.randn(shape, generator=source, device=model.device, dtype=model.dtype)
            occupant.drawn = drawn[0].T
        return occupant.drawn

    @torch.inference_mode()
    def advance(self, slots: list[int]) -> None:
        """Move ``slots`` on to their next patch, after the audio of this one was handed over."""
        if not self._is_ahead:
            self._advance(slots)

    def _advance_early(self, slots: list[int]) -> bool:
        """The host does not know yet who goes on; for who does not it is a step too many, which
        costs less than a device that waits for the host. False where there is no memory for it."""
        try:
            self._advance(slots)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _advance(self, slots: list[int]) -> None:
        occupants = [self._occupants[slot] for slot in slots]
        longest = max(occupant.position for occupant in occupants) + 1
        length = self.loaded.model.length
        self.loaded.passes.advance(slots, length_bucket(min(longest, length), length))
        for occupant in occupants:
            occupant.position = min(occupant.position + 1, length)

    @torch.inference_mode()
    def release(self, slot: int) -> None:
        """Take ``slot`` back, at any time; what was said in full may be kept as a voice."""
        occupant = self._occupants.pop(slot, None)
        if occupant is None:
            return  # its beginning failed
        loaded = self.loaded
        if occupant.prompt.remember and occupant.reason is FinishReason.STOP:
            features = loaded.recordings.remembered(torch.stack(occupant.latents))
            loaded.voices.put(occupant.prompt.remember, features)
        loaded.model.clear(slot, occupant.position)

"""The child process in which uploads are decoded: ``python -m voices.decoder``.

It takes requests on standard input and answers on standard output, under hard limits of memory,
time and files, so that a hostile file can cost no more than this process. Knows nothing of Django;
``voices/decoding.py`` starts it.
"""

from __future__ import annotations

import io
import resource
import sys
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import soxr

from voices import samples
from voices.bare import bare
from voices.containers import OGG, WAV, Container, check_ogg, recognize
from voices.exceptions import RefusedRecording
from voices.limits import LIMITS
from voices.messages import encode_head, read_message
from voices.wav import Samples, read_wav, wav_blocks

# What a codec's padding may add to a recording that is as long as it may be.
_PADDING_SECONDS = 0.1
# Of a stream that may be cut, this share of packets may be unreadable.
_BAD_PACKETS = 0.02


def decode(data: bytes) -> tuple[Samples, int]:
    """Mono floats and their rate, at most ``LIMITS.stored_rate``. Raises RefusedRecording."""
    container = recognize(data)
    try:
        if container is WAV:
            form, body = read_wav(data)
            return _collect(wav_blocks(form, body), form.sample_rate, form.channels)
        if container is OGG:
            check_ogg(data)
        return _decode_with_av(bare(data, container), container)
    except (av.FFmpegError, ValueError) as error:
        raise RefusedRecording(
            "invalid_audio", f"The {container.name} file cannot be decoded."
        ) from error
    except MemoryError as error:
        raise RefusedRecording(
            "invalid_audio", f"The {container.name} file takes too much memory to decode."
        ) from error


def _decode_with_av(data: bytes, container: Container) -> tuple[Samples, int]:
    with av.open(
        io.BytesIO(data),
        format=container.demuxer,
        options={"protocol_whitelist": "none", "enable_drefs": "0"},
        metadata_errors="replace",
    ) as source:
        if not source.streams.audio:
            raise RefusedRecording("invalid_audio", f"The {container.name} file holds no audio.")
        stream = source.streams.audio[0]
        codec: Any = stream.codec_context  # None for what no decoder knows
        if codec is None or codec.name not in container.codecs:
            raise RefusedRecording(
                "unsupported_codec",
                f"{container.name} files may hold {' or '.join(sorted(container.codecs))}.",
            )
        codec.thread_count = 1
        if not container.may_be_cut:
            codec.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        blocks = _av_blocks(source, stream, container)
        taken = _collect(blocks, codec.sample_rate, codec.channels)
        lost = _stated(stream) - len(taken[0]) / taken[1]
        if not container.may_be_cut and lost > container.slack:
            raise RefusedRecording("invalid_audio", f"The {container.name} file is cut.")
        return taken


def _stated(stream: Any) -> float:
    """How long the file says it lasts; 0 where it does not say, as recorders in browsers do."""
    return float(stream.duration * stream.time_base) if stream.duration else 0.0


def _av_blocks(source: Any, stream: Any, container: Container) -> Iterator[Samples]:
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    to_float = av.AudioResampler(format="flt")
    packets = bad = 0
    for packet in source.demux(stream):
        packets += 1
        try:
            frames = packet.decode()
        except av.FFmpegError:
            bad += 1
            if not container.may_be_cut or bad > 1 + packets * _BAD_PACKETS:
                raise
            continue
        for frame in frames:
            if (frame.sample_rate, frame.layout.nb_channels) != (rate, channels):
                raise RefusedRecording(
                    "invalid_audio", "The recording changes its rate or channels on the way."
                )
            for plain in to_float.resample(frame):
                yield plain.to_ndarray().reshape(-1, channels).astype(np.float32, copy=False)


def _collect(blocks: Iterator[Samples], rate: int, channels: int) -> tuple[Samples, int]:
    """Mix down, resample and bound what comes; never more than the limits in memory."""
    if not LIMITS.lowest_rate <= rate <= LIMITS.highest_rate:
        raise RefusedRecording(
            "unsupported_sample_rate",
            f"The sample rate must lie between {LIMITS.lowest_rate} and {LIMITS.highest_rate} Hz.",
        )
    if not 1 <= channels <= LIMITS.channels:
        raise RefusedRecording("unsupported_channels", "A recording has one channel or two.")
    stored = min(rate, LIMITS.stored_rate)
    resampler = soxr.ResampleStream(rate, stored, 1) if stored != rate else None
    most = round((LIMITS.longest + _PADDING_SECONDS) * rate)
    taken, count = [], 0
    for block in blocks:
        if not np.isfinite(block).all():
            raise RefusedRecording("non_finite_samples", "The recording holds no finite numbers.")
        count += len(block)
        if count > most:
            raise RefusedRecording(
                "audio_too_long", f"A recording lasts at most {LIMITS.longest} seconds."
            )
        mono = np.clip(block, -1, 1).mean(axis=1, dtype=np.float32)
        mono[np.abs(mono) < 1e-20] = 0  # denormals slow down everything after
        taken.append(resampler.resample_chunk(mono) if resampler else mono)
    if resampler:
        taken.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    mono = np.concatenate(taken) if taken else np.zeros(0, np.float32)
    if not len(mono):
        raise RefusedRecording("invalid_audio", "The recording holds no samples.")
    return mono, stored


def answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """What the parent is told: a sample with its report, or why there is none."""
    try:
        sample = samples.prepare(*decode(data), samples.Cut(request["cut"]))
    except RefusedRecording as error:
        return {"code": error.code, "message": str(error)}, b""
    return {"report": sample.report.as_json(), "sample_rate": sample.sample_rate}, sample.wav


def confine() -> None:
    """From here on: bounded memory and time, no files to write, hardly any to open."""
    for kind, limit in (
        (resource.RLIMIT_AS, LIMITS.child_bytes),
        (resource.RLIMIT_CPU, LIMITS.child_cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def main() -> None:
    confine()
    while message := read_message(sys.stdin.buffer):
        head, data = answer(*message)
        sys.stdout.buffer.write(encode_head(head, len(data)))
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

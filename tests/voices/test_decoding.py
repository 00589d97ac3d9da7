"""Any upload, told by its content alone, becomes a checked sample or a refusal with its reason; the
child that decodes it stays within its memory, and the platform never holds more than the result."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.voices.bad_recordings import REFUSED
from tests.voices.recordings import CONTAINERS, RATE, chunk, clip, encode, speech, wav
from voices.decoding import Decoder, DecoderBroken, decode
from voices.exceptions import RecordingTooLarge, RefusedRecording
from voices.limits import LIMITS
from voices.samples import Cut
from voices.wav import read_own

MB = 2**20
CHILD_MEMORY = 256 * MB
SERVER_MEMORY = 10 * MB


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as decoder:
        yield decoder


@pytest.fixture
def take(decoder):
    """Decode bytes; afterwards the child lives and took no more memory than it may."""

    def take(data, cut=Cut.BEST):
        return decoder.decode(io.BytesIO(data), len(data), cut)

    yield take
    assert decoder.is_alive
    assert peak_memory(decoder.pid) < CHILD_MEMORY


def peak_memory(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


# -- what is taken


@pytest.mark.parametrize("container", CONTAINERS)
def test_it_takes_what_libraries_and_browsers_write(take, container):
    sample = take(clip(container), Cut.ENDS)
    samples, rate = read_own(sample.wav)
    assert rate == sample.sample_rate == CONTAINERS[container][2]
    assert sample.report.measures.seconds == pytest.approx(4, abs=0.15)
    assert len(samples) / rate == pytest.approx(
        sample.report.kept_to - sample.report.kept_from, abs=0.001
    )
    assert sample.report.of("failure") == []


@pytest.mark.parametrize(
    ("muxer", "codec", "options"),
    [
        ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
        ("mp4", "libopus", {"movflags": "frag_keyframe+empty_moov", "frag_duration": "100000"}),
        ("mp4", "libopus", {}),
        ("ipod", "aac", {}),
        ("webm", "libopus", {"live": "1"}),
        ("webm", "libopus", {"dash": "1", "cluster_time_limit": "100"}),
    ],
)
def test_it_takes_containers_however_they_are_laid_out(take, muxer, codec, options):
    file = encode(speech(4), muxer, codec, 48_000, **options)
    assert take(file, Cut.ENDS).report.measures.seconds == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("tag", "bits"), [(1, 16), (1, 8), (1, 24), (1, 32), (3, 32), (3, 64)], ids=str
)
def test_it_reads_every_plain_wav_alike(take, tag, bits):
    sound = speech(2)
    if tag == 1:
        whole = np.round(sound.astype(np.float64) * (2 ** (bits - 1) - 1)).astype(np.int64)
        if bits == 8:
            data = (whole + 128).astype(np.uint8).tobytes()
        else:
            data = whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, : bits // 8].tobytes()
    else:
        data = sound
    samples, _ = read_own(take(wav(data, tag=tag, bits=bits), Cut.ENDS).wav)
    expected, _ = read_own(take(wav(sound), Cut.ENDS).wav)
    common = min(len(samples), len(expected))
    assert np.corrcoef(samples[:common], expected[:common])[0, 1] > 0.999


def test_two_channels_are_mixed_and_high_rates_come_down(take):
    sound = np.repeat(speech(2), 2)
    sample = take(wav(np.repeat(sound, 4), 192_000 - 192_000 % RATE, channels=2))
    assert sample.sample_rate == LIMITS.stored_rate


def test_a_wav_with_an_extensible_header_is_plain_inside(take):
    plain = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    assert take(wav(speech(2), tag=0xFFFE, guid=plain)).wav


def test_metadata_is_dropped(take):
    secret = b"made by somebody, somewhere"
    tagged = wav(speech(2), extra=chunk(b"LIST", b"INFO" + secret * 1000))
    assert take(tagged).wav == take(wav(speech(2))).wav
    cover = clip("mp3")
    id3 = b"ID3\x04\x00\x00" + bytes([0, 0x10, 0, 0]) + secret * 9709 + bytes(1)
    assert take(id3[: 10 + 0x40000] + cover).report.measures.seconds == pytest.approx(4, abs=0.15)


def test_half_of_a_stream_is_taken_as_long_as_it_is(take):
    half = clip("mp3")[: len(clip("mp3")) // 2]
    assert take(half).report.measures.seconds == pytest.approx(2, abs=0.15)
    cut = wav(speech(4))[: 44 + RATE * 2 * 2]
    assert take(cut).report.measures.seconds == pytest.approx(2)


def test_the_length_is_what_is_decoded_and_not_what_is_stated(take):
    short = encode(speech(4), "mp3", "libmp3lame", RATE, write_xing="1")
    lying = short.replace(b"Xing\x00\x00\x00\x0f", b"Xing\x00\x00\x00\x0f" + b"\x7f\xff\xff\xff", 1)
    at = lying.find(b"Xing")
    lying = short[: at + 8] + b"\x00\x7f\xff\xff" + short[at + 12 :] if at > 0 else short
    assert take(lying).report.measures.seconds == pytest.approx(4, abs=0.2)


def test_29_999_seconds_are_taken_and_the_31st_is_not(take):
    data = np.round(speech(29.999) * 32767).astype("<i2").tobytes()
    assert take(wav(data)).report.measures.seconds == pytest.approx(29.999)
    with pytest.raises(RefusedRecording) as refused:
        take(wav(speech(31)))
    assert refused.value.code == "audio_too_long"


def test_the_same_recording_makes_the_same_bytes(take):
    assert take(clip("ogg/opus")).wav == take(clip("ogg/opus")).wav


# -- what is refused


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_with_the_reason(take, name):
    make, code = REFUSED[name]
    with pytest.raises(RefusedRecording) as refused:
        take(make()).report.check()
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


def test_it_refuses_what_is_too_large_unread():
    with Decoder() as decoder, pytest.raises(RecordingTooLarge):
        decoder.decode(io.BytesIO(), LIMITS.upload_bytes + 1, Cut.BEST)


# -- limits


def test_the_server_holds_no_more_than_the_result():
    # Two channels at the highest rate, as long as 10 MiB allow.
    data = wav(np.tile(np.repeat(speech(1), 16), 13)[: 5 * MB], 192_000, channels=2)
    tracemalloc.start()
    sample = decode(io.BytesIO(data), len(data), Cut.BEST)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sample.wav
    assert peak < SERVER_MEMORY


def test_a_child_that_is_killed_is_a_refusal_and_the_next_one_works():
    with Decoder() as decoder:
        decoder._process.kill()
        with pytest.raises(RefusedRecording) as refused:
            decoder.decode(io.BytesIO(clip("wav")), len(clip("wav")), Cut.BEST)
    assert refused.value.code == "invalid_audio"
    assert decode(io.BytesIO(clip("wav")), len(clip("wav")), Cut.BEST).wav


def test_a_child_that_ends_by_itself_is_our_fault():
    with Decoder() as decoder:
        decoder._process.stdin.write(struct.pack("<I", 2) + b"{}")
        with pytest.raises(DecoderBroken):
            decoder.decode(io.BytesIO(clip("wav")), len(clip("wav")), Cut.BEST)


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("bytearray(600 * 2**20)", "MemoryError"),
        ("open('/tmp/voxplatform-canary', 'w').write('x' * 100000)", "OSError|SIGXFSZ"),
        ("[open('/dev/null') for _ in range(50)]", "OSError"),
    ],
)
def test_the_child_is_confined(attempt, error, tmp_path):
    script = f"from voices.decoder import confine; confine()\ntry:\n    {attempt}\nexcept ("
    script += "MemoryError, OSError) as error:\n    print(type(error).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30
    )
    assert done.stdout.strip() in error.split("|")
    Path("/tmp/voxplatform-canary").unlink(missing_ok=True)


def test_time_is_bounded():
    script = "from voices.decoder import confine, LIMITS; import resource\n"
    script += "confine(); print(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert int(done.stdout) == LIMITS.child_cpu_seconds

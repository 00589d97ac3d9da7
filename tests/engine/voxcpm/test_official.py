"""The official package imports beside any torch, and reads and writes sound as torchaudio does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from speech.engine.voxcpm import official

ROOT = Path(__file__).parents[3]
BROKEN = """
import sys, importlib.machinery
class Broken(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "torchaudio._extension":
            raise {error}
sys.meta_path.insert(0, Broken)
from speech.engine.voxcpm.official import import_voxcpm
import_voxcpm()
import torch, torchaudio
print(torchaudio.functional.resample(torch.ones(1, 480), 48000, 16000).shape[1])
"""


def run(script):
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
def test_a_torchaudio_built_for_another_torch_is_used_without_its_compiled_part():
    for error in ("OSError('libcudart.so.13')", "ImportError('Failed to load libtorchaudio')"):
        answer = run(BROKEN.format(error=error))
        assert (answer.stdout, answer.stderr, answer.returncode) == ("160\n", "", 0)


@pytest.mark.slow
def test_without_torchaudio_the_package_imports_all_the_same(tmp_path):
    hide = (
        "import sys; sys.modules['torchaudio'] = None\n"
        "from speech.engine.voxcpm.official import import_voxcpm; print(import_voxcpm().VoxCPM)"
    )
    answer = run(hide)
    assert "voxcpm.core.VoxCPM" in answer.stdout and answer.returncode == 0, answer.stderr


def test_sound_goes_to_a_file_and_back(tmp_path):
    path = tmp_path / "stereo.wav"
    stereo = torch.linspace(-0.5, 0.5, 200).reshape(2, 100)
    official.save(path, stereo, 16000)
    samples, rate = official.load(path)
    assert rate == 16000 and samples.shape == (2, 100)
    assert torch.allclose(samples, stereo, atol=2**-15)
    part, _ = official.load(str(path), frame_offset=10, num_frames=5, channels_first=False)
    assert np.array_equal(part, soundfile.read(path, dtype="float32")[0][10:15])

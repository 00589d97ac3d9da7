"""``python -m voices.funasr DIRECTORY``: a WAV on standard input, its words on standard output.

The official VoxCPM package's own way to transcribe a prompt: FunASR with SenseVoice, here from
weights that lie on this machine. A process of its own, and the only place that imports it.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from voices.wav import read_own


def main(directory: str) -> None:
    if not (Path(directory) / "model.pt").is_file():
        sys.exit(f"There are no weights of SenseVoice in {directory}.")
    samples, rate = read_own(sys.stdin.buffer.read())
    # It prints as it loads; what is said is all that may be read here.
    with contextlib.redirect_stdout(sys.stderr):
        from funasr import AutoModel

        model = AutoModel(model=directory, disable_update=True, disable_pbar=True, device="cpu")
        found = model.generate(input=samples, fs=rate, language="auto", use_itn=True)
    # <|en|><|NEUTRAL|><|Speech|><|withitn|>and then the words
    print(found[0]["text"].rpartition("|>")[2].strip())


if __name__ == "__main__":
    main(sys.argv[1])

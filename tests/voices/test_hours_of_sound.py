"""Hours of sound in a small file cost less than a second of the decoder's work, and are refused."""

from __future__ import annotations

import pytest

from tests.voices.bad_recordings import REFUSED, opus
from tests.voices.test_remarks import take
from voices.exceptions import RefusedRecording

pytestmark = pytest.mark.slow
MB = 2**20
BOMBS = {
    **{name: REFUSED[name] for name in ("FLAC of 10 hours", "FLAC of 10 hours in 8 channels")},
    "Opus of 2 hours": (lambda: opus(7200), "audio_too_long"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_they_are_refused_within_a_second_of_work(name):
    make, code = BOMBS[name]
    data = make()
    assert len(data) < 10 * MB
    with pytest.raises(RefusedRecording) as refused:
        take(data)
    assert refused.value.code == code

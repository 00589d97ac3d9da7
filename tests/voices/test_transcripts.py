"""Words that cannot be those of a recording are refused, by nothing but their number."""

from __future__ import annotations

import pytest

from voices.exceptions import RefusedRecording
from voices.transcripts import LONGEST, check_transcript


@pytest.mark.parametrize(
    ("transcript", "seconds"),
    [
        ("The quick brown fox jumps over the lazy dog.", 2.8),
        ("The quick brown fox jumps over the lazy dog.", 8.0),
        ("今天天气很好，我们去公园散步吧。", 3.0),
        ("こんにちは、元気ですか。", 2.0),
        ("안녕하세요, 반갑습니다.", 2.0),
        ("Съешь ещё этих мягких французских булок.", 3.0),
        ("Call 555 0199.", 3.0),
        ("Yes.", 1.0),
    ],
)
def test_it_takes_what_can_be_said_in_that_time(transcript, seconds):
    check_transcript(transcript, seconds)


@pytest.mark.parametrize(
    ("transcript", "seconds"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 4, 2.8),
        ("Hello.", 10.0),
        ("今天天气很好，我们去公园散步吧。" * 4, 3.0),
        ("好。", 8.0),
    ],
)
def test_it_refuses_what_cannot(transcript, seconds):
    with pytest.raises(RefusedRecording) as refused:
        check_transcript(transcript, seconds)
    assert refused.value.code == "transcript_mismatch"
    assert refused.value.param == "transcript"


@pytest.mark.parametrize("transcript", ["", "…!?", "x" * (LONGEST + 1)])
def test_it_refuses_what_holds_no_words_or_far_too_many(transcript):
    with pytest.raises(RefusedRecording) as refused:
        check_transcript(transcript, 5)
    assert refused.value.code == "invalid_value"

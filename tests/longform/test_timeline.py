"""Where segments are heard in the whole, and what that makes of captions."""

from __future__ import annotations

from speech.job_parts import Segment
from speech.longform.timeline import chapters_of, cues_of, rate_of, srt, vtt


def said(text, samples, rate=1000, chapter=0, pause_ms=500):
    return Segment(text=text, samples=samples, sample_rate=rate, chapter=chapter, pause_ms=pause_ms)


SAID = [said("One.", 1000), said("Two & <three>.", 4000, rate=2000), said("Four.", 250, chapter=1)]


def test_they_follow_one_another_with_their_pauses_at_one_rate():
    cues = list(cues_of(SAID, rate_of(SAID)))
    assert [(cue.begin, cue.end) for cue in cues] == [(0, 1), (1.5, 3.5), (4, 4.25)]
    assert cues[-1].pause == 0


def test_chapters_begin_where_their_first_segment_does():
    cues = list(cues_of(SAID, 2000))
    assert chapters_of(cues, ["Start", ""]) == [("Start", 0, 4), ("2", 4, 4.25)]


def test_captions_are_well_formed():
    cues = list(cues_of([said("a --> b", 3_725_500), *SAID], 2000))
    assert srt(cues).startswith("1\n00:00:00,000 --> 01:02:05,500\na → b\n\n2\n01:02:06,000 --> ")
    assert "Two &amp; &lt;three&gt;." in vtt(cues)
    assert "Two & <three>." in srt(cues)

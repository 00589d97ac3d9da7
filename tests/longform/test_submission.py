"""Taking a long text: its rows, in little time however many they are."""

from __future__ import annotations

import pytest

from speech.job_parts import Segment

pytestmark = pytest.mark.django_db
SHORT = "\n\n".join(["Yes."] * 2000)


def test_two_thousand_short_lines_are_stored_at_once(make_job, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):  # nobody else may write to SQLite meanwhile
        job = make_job(SHORT, start=False)
    assert job.segments.count() == 2000
    assert job.characters == 4 * 2000


def test_its_rows_are_as_the_model_would_make_them(make_job):
    job = make_job(start=False)
    for row in job.segments.all():
        given = ("index", "chapter", "text", "characters", "pause_ms")
        made = Segment(job=job, **{name: getattr(row, name) for name in given})
        for field in Segment._meta.concrete_fields:
            if not field.primary_key:
                assert getattr(row, field.attname) == getattr(made, field.attname), field.name

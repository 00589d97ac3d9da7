"""The text of a key: its form, its checksum, its digest."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys


def test_it_makes_keys_of_the_documented_form():
    raw = keys.make_key()
    assert re.fullmatch(r"vox_[0-9A-Za-z]{10}_[0-9A-Za-z]{42}", raw)
    assert keys.plausible(raw)
    assert keys.public_id(raw) == raw[4:14]


def test_it_never_makes_the_same_key_twice():
    assert len({keys.make_key() for _ in range(200)}) == 200


@pytest.mark.parametrize("position", range(0, 57, 4))
def test_it_notices_a_single_wrong_character(position):
    raw = keys.make_key()
    wrong = "A" if raw[position] != "A" else "B"
    assert not keys.plausible(raw[:position] + wrong + raw[position + 1 :])


@pytest.mark.parametrize(
    "junk",
    ["", "vox_", "sk-proj-abc", "' OR 1=1 --", "\0" * 57, "vox_" + "é" * 53, "v" * 1_000_000],
)
def test_it_takes_junk_for_no_key(junk):
    assert not keys.plausible(junk)


def test_it_takes_a_key_with_more_around_it_for_no_key():
    raw = keys.make_key()
    assert not any(keys.plausible(text) for text in (raw + "\n", " " + raw, raw + raw))


@given(st.text(max_size=80))
def test_it_never_fails_on_any_text(text):
    assert keys.plausible(text) in (True, False)


def test_a_digest_needs_both_the_key_and_the_pepper():
    raw = keys.make_key()
    assert keys.digest(raw, "one pepper") != keys.digest(raw, "another pepper")
    assert keys.digest(raw, "one pepper") != keys.digest(keys.make_key(), "one pepper")
    assert raw not in keys.digest(raw, "one pepper")

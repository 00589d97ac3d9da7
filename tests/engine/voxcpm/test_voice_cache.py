"""What was computed of voices: bounded by bytes, and forgotten by voice."""

from __future__ import annotations

import torch

from speech.engine.voxcpm.voice_cache import Heard, Prefix, VoiceCache, VoiceFeatures


def features(size=100):
    return VoiceFeatures(reference=Heard(torch.zeros(size), torch.zeros(size)))


def test_a_second_use_computes_nothing():
    cache = VoiceCache(10_000)
    first = cache.get("a:1", features)
    assert cache.get("a:1", features) is first
    assert cache.misses == 1


def test_what_was_used_longest_ago_goes_first():
    cache = VoiceCache(2 * features().nbytes)
    for key in ("a", "b", "a", "c"):
        cache.get(key, features)
    assert cache.misses == 3
    cache.get("a", features)
    assert cache.misses == 3
    cache.get("b", features)
    assert cache.misses == 4


def test_what_has_grown_makes_room():
    cache = VoiceCache(3 * features().nbytes)
    cache.get("a", features)
    grown = cache.get("b", features)
    grown.prefix = Prefix((1, 2), torch.zeros(150), torch.zeros(150))
    cache.grown("b")
    assert len(cache) == 1
    cache.grown("a")
    assert len(cache) == 1, "what was forgotten meanwhile does not come back"


def test_a_voice_is_forgotten_in_all_its_versions_and_no_other_is():
    cache = VoiceCache(10_000)
    for key in ("voice_1:1:x", "voice_1:2:y", "voice_12:1:z", "voice_1"):
        cache.get(key, features)
    cache.forget("voice_1")
    assert len(cache) == 1
    cache.get("voice_12:1:z", features)
    assert cache.misses == 4

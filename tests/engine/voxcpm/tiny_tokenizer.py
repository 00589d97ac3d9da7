"""A small tokenizer in the files of the true ones: BPE in Llama's style, with byte fallback.

Ids 101 to 104 mark audio, as in the true vocabulary; some tokens hold several Chinese characters,
which the official package splits.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, normalizers
from tokenizers.models import BPE

SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
AUDIO = ["<|audio_start|>", "<|audio_end|>", "<|audio_prompt_start|>", "<|audio_prompt_end|>"]
FIRST_AUDIO = 101
LETTERS = "▁ etaoinshrdlucmfwypvbgkjqxzETAOINSHRDLUCMFWYPVBGKJQXZ0123456789.,!?;:'\"-()[]&%$"
CHINESE = "你好世界中国人民语音合成今天气很大小我们的是不在有了和这个上来到时为说"
WORDS = (
    "▁the ▁and ▁a ▁of ▁to ▁is ▁it ▁in ▁that ▁you ▁this ▁on ▁for ▁with ▁hello ▁world ▁was ▁over "
    "ing er on ll 语音合成 你好 世界 中国 人民 语音 合成 今天 天气 我们"
)
VOCABULARY = 768  # rows of the embedding; more than there are tokens, as in the true ones


def write_tokenizer(folder: Path, tokenizer_class: str) -> None:
    """``tokenizer.json``, ``tokenizer_config.json`` and ``special_tokens_map.json``."""
    vocabulary, merges = _vocabulary()
    model = BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        **SPECIAL,
        "tokenizer_class": tokenizer_class,
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "legacy": True,
        "model_max_length": 1000000000,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "special_tokens_map.json").write_text(json.dumps(SPECIAL))


def _vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    tokens = [*SPECIAL.values(), *dict.fromkeys(LETTERS)]
    tokens += [f"<reserved_{index}>" for index in range(len(tokens), FIRST_AUDIO)] + AUDIO
    tokens += [f"<0x{byte:02X}>" for byte in range(256)] + list(CHINESE)
    merges: dict[tuple[str, str], None] = {}
    for word in WORDS.split():
        for end in range(1, len(word)):
            merges[word[:end], word[end]] = None
    tokens += ["".join(pair) for pair in merges]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    assert vocabulary[AUDIO[0]] == FIRST_AUDIO and len(vocabulary) <= VOCABULARY
    return vocabulary, list(merges)

"""The bundled WeTextProcessing grammars, asked for one short span at a time.

They know dates, times, units and fractions well, but they are slow on prose, fail on signs they
have never met, and their token parser never returns from a malformed tag. So a span is short, its
tags are checked before they are parsed, and an answer that is none leaves the span to our rules.
Knows nothing of the text around a span.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache

LONGEST_SPAN = 48
_WELL_FORMED = re.compile(r'(?:[a-z_]+ \{(?: [a-z_]+: "(?:[^"\\]|\\.)*")* \} ?)+')
# The grammars load on first use (a second or less); the lock keeps a second thread from doing the
# same, and keeps the shared automata to one thread at a time.
_lock = threading.Lock()


class Grammar:
    """One language's grammar for the length of one text, with a bound on what it may cost."""

    def __init__(self, language: str, budget: int = 400) -> None:
        """``language`` is "en" or "zh"; at most ``budget`` spans are read, the rest are not."""
        self._language = language
        self._budget = budget

    def read(self, span: str) -> str | None:
        """``span`` in words, or None where the grammar has no answer or its budget is spent."""
        if self._budget <= 0 or not 0 < len(span) <= LONGEST_SPAN:
            return None
        self._budget -= 1
        return _read(self._language, span)


@lru_cache(maxsize=8192)
def _read(language: str, span: str) -> str | None:
    from wetext.utils import reorder, tag, verbalize  # imports for half a second, so on first use

    with _lock:
        tagged = tag(span, language, "tn")
        if not _WELL_FORMED.fullmatch(tagged):
            return None
        words = verbalize(reorder(tagged, language, "tn"), language, "tn")
    return words if words and not re.search(r"[\d\\\"{}]", words) else None

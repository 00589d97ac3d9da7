"""Cells of a CSV that are harmless in a spreadsheet, whoever wrote what stands in them."""

from __future__ import annotations

from typing import Any

# A spreadsheet takes a cell that begins so for a formula; full-width signs count in some.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: Any) -> str:
    """A value as text that no spreadsheet computes."""
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text

"""What fetching a model may end with instead of a model."""

from __future__ import annotations


class FetchError(Exception):
    """The model was not fetched; the message is one sentence for an operator that says why."""

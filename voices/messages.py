"""How the decoder and its parent talk: a JSON head with a payload behind it, each with its size."""

from __future__ import annotations

import json
import struct
from typing import IO, Any


def read_message(source: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next head and its payload; None at the end, also in the middle of a message."""
    size = source.read(4)
    if len(size) < 4:
        return None
    (length,) = struct.unpack("<I", size)
    encoded = source.read(length)
    if len(encoded) < length:
        return None
    head: dict[str, Any] = json.loads(encoded)
    data = source.read(head["size"])
    return (head, data) if len(data) == head["size"] else None


def encode_head(head: dict[str, Any], size: int) -> bytes:
    """What stands before a payload of ``size`` bytes."""
    encoded = json.dumps({**head, "size": size}).encode()
    return struct.pack("<I", len(encoded)) + encoded

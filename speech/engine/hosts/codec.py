"""Dataclasses to JSON and back, guided by their annotations; sample arrays travel beside it, raw.

Knows nothing of frames or sockets. A value becomes nested lists in the order of its fields, an
array only its length: its float32 samples follow the JSON. What does not fit the annotation is
refused, so a damaged message never becomes a half-right value.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from speech.engine.types import Samples


class ProtocolError(Exception):
    """The other side sent something that is not a message of ours."""


class SampleReader:
    """Hands out, in order, the arrays that follow a message's JSON."""

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        self._position = 0

    def take(self, length: int) -> Samples:
        """The next ``length`` samples, writable and owned by the caller."""
        end = self._position + 4 * length
        if length < 0 or end > len(self._raw):
            raise ProtocolError("An array is longer than its frame.")
        samples = np.frombuffer(bytearray(self._raw[self._position : end]), dtype="<f4")
        self._position = end
        return samples

    @property
    def exhausted(self) -> bool:
        """Every byte was claimed by an array."""
        return self._position == len(self._raw)


_PLAIN = frozenset({str, int, float, bool, type(None)})

Decoder = Callable[[Any, SampleReader], Any]


def encode(value: Any, arrays: list[bytes]) -> Any:
    """What ``json.dumps`` takes for ``value``; the samples of its arrays are appended to
    ``arrays``. Raises TypeError for an array that is not one-dimensional."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if names := _field_names(kind):
        return [encode(getattr(value, name), arrays) for name in names]
    if isinstance(value, np.ndarray):
        if value.ndim != 1:
            raise TypeError("Samples are mono: one dimension.")
        arrays.append(np.ascontiguousarray(value, dtype="<f4").tobytes())
        return len(value)
    if isinstance(value, tuple | frozenset):
        return [encode(item, arrays) for item in value]
    return value


def decode(kind: type, data: Any, samples: SampleReader) -> Any:
    """The ``kind`` that ``encode`` was given. Raises ProtocolError when ``data`` does not fit."""
    return _decoder(kind)(data, samples)


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass, none of anything else."""
    return tuple(getattr(kind, "__dataclass_fields__", ()))


@functools.cache
def _decoder(annotation: Any) -> Decoder:
    if dataclasses.is_dataclass(annotation):
        return _dataclass_decoder(typing.cast("type", annotation))
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _optional_decoder(next(one for one in arguments if one is not types.NoneType))
    if origin in (tuple, frozenset):
        return _sequence_decoder(origin, arguments[0])
    if origin is np.ndarray:
        return _array_decoder
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum_decoder(annotation)
    return _plain_decoder(origin or annotation)


def _call(decoder: Decoder, data: Any, samples: SampleReader) -> Any:
    return decoder(data, samples)


def _dataclass_decoder(kind: type) -> Decoder:
    hints = typing.get_type_hints(kind)
    decoders = [_decoder(hints[name]) for name in _field_names(kind)]

    def decode_fields(data: Any, samples: SampleReader) -> Any:
        if not isinstance(data, list) or len(data) != len(decoders):
            raise ProtocolError(f"This is not a {kind.__name__}.")
        return kind(*map(_call, decoders, data, itertools.repeat(samples)))

    return decode_fields


def _optional_decoder(inner: Any) -> Decoder:
    decoder = _decoder(inner)
    return lambda data, samples: None if data is None else decoder(data, samples)


def _sequence_decoder(kind: type, inner: Any) -> Decoder:
    decoder = _decoder(inner)

    def decode_items(data: Any, samples: SampleReader) -> Any:
        if not isinstance(data, list):
            raise ProtocolError("This is not a list.")
        return kind([decoder(item, samples) for item in data])

    return decode_items


def _array_decoder(data: Any, samples: SampleReader) -> Samples:
    if type(data) is not int:
        raise ProtocolError("An array is known by its length.")
    return samples.take(data)


def _enum_decoder(kind: type[Enum]) -> Decoder:
    members = {member.value: member for member in kind}

    def decode_member(data: Any, samples: SampleReader) -> Enum:
        if not isinstance(data, str | int) or data not in members:
            raise ProtocolError(f"This is not a {kind.__name__}.")
        return members[data]

    return decode_member


def _plain_decoder(kind: type) -> Decoder:
    accepted = (int, float) if kind is float else (kind,)

    def decode_plain(data: Any, samples: SampleReader) -> Any:
        if type(data) not in accepted:
            raise ProtocolError(f"This is not a {kind.__name__}.")
        return data

    return decode_plain

"""Values between us and the confined reader: JSON and raw numbers, checked against their types.

Raw numbers go as they lie in an array of numpy, or as the same bytes: the reader often has no need
of numpy, which loads slowly.

What comes from the reader may come from a hostile film that took it over: nothing is unpickled, and
a value that is not of its type is refused.
"""

import json
import re
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from matinee.core.time import as_text

GO_ON, STOP = b"go on\n", b"stop\n"
"""What a reader hears after each clip."""

LONGEST_HEADER = 1 << 28
FRACTION = re.compile(r"-?[0-9]{1,40}/[0-9]{1,40}")


class Garbled(ValueError):
    """A message is not of the form that was agreed on."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came. Paths in it are names in ``folder``."""

    kind: str
    value: Any
    arrays: tuple[bytes, ...]

    def decode(self, hint: Any, folder: Path | None = None) -> Any:
        """The message's value, of the type ``hint``.

        Raises:
            Garbled: it is of another.
        """
        try:
            return _decode(hint, self.value, self.arrays, folder)
        except (TypeError, ValueError, KeyError, IndexError, ArithmeticError) as error:
            raise Garbled(f"a {self.kind} is not of its type: {error}") from error


def encode(kind: str, value: Any) -> Iterator[bytes | bytearray]:
    """A message as bytes: a line of JSON, then the arrays."""
    arrays: list[bytes | bytearray] = []
    plain = _plain(value, arrays)
    header = {"kind": kind, "value": plain, "sizes": [len(array) for array in arrays]}
    yield json.dumps(header).encode() + b"\n"
    yield from arrays


def messages(pieces: Iterable[bytes], largest: int) -> Iterator[Message]:
    """The messages in a stream of bytes; none may have more than ``largest`` bytes of arrays.

    Raises:
        Garbled: what comes is no message.
    """
    data, searched = bytearray(), 0
    header: dict[str, Any] | None = None
    for piece in pieces:
        data += piece
        while True:
            if header is None:
                end = data.find(b"\n", searched)
                if end < 0:
                    searched = len(data)
                    if searched > LONGEST_HEADER:
                        raise Garbled("a message has no end")
                    break
                header = _header(bytes(data[:end]), largest)
                del data[: end + 1]
            if len(data) < sum(header["sizes"]):
                break
            arrays = []
            for size in header["sizes"]:
                arrays.append(bytes(data[:size]))
                del data[:size]
            yield Message(header["kind"], header["value"], tuple(arrays))
            header, searched = None, 0


def _header(line: bytes, largest: int) -> dict[str, Any]:
    try:
        header = json.loads(line)
        sizes = header["sizes"]
        is_sound = all(type(size) is int and size >= 0 for size in sizes)
        if not is_sound or sum(sizes) > largest or not isinstance(header["kind"], str):
            raise Garbled("a message has impossible sizes")
        return {"kind": header["kind"], "value": header["value"], "sizes": sizes}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Garbled(f"a message cannot be read: {error}") from error


def _plain(value: Any, arrays: list[bytes | bytearray]) -> Any:
    raw = _raw(value)
    if raw is not None:
        arrays.append(raw)
        return len(arrays) - 1
    if isinstance(value, Fraction):
        return as_text(value)
    if isinstance(value, Path):
        return value.name
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name), arrays) for f in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(item, arrays) for item in value]
    return value


def _raw(value: Any) -> bytes | bytearray | None:
    """The bytes of raw numbers."""
    if isinstance(value, bytes | bytearray):
        return value
    numpy = sys.modules.get("numpy")  # where it is not loaded, there is no array of it
    raw: bytes | None = value.tobytes() if numpy and isinstance(value, numpy.ndarray) else None
    return raw


def _decode(  # noqa: C901, PLR0911  # one case for each kind of type
    hint: Any, value: Any, arrays: Sequence[bytes], folder: Path | None
) -> Any:
    origin, options = get_origin(hint), get_args(hint)

    def inner(one: Any, item: Any) -> Any:
        return _decode(one, item, arrays, folder)

    if isinstance(hint, NewType):
        return inner(hint.__supertype__, value)
    if origin is Union or origin is types.UnionType:
        if value is None and type(None) in options:
            return None
        (only,) = [option for option in options if option is not type(None)]
        return inner(only, value)
    if origin is Literal:
        return options[options.index(value)]
    numpy = sys.modules.get("numpy")  # a hint that needs it has loaded it
    if numpy and origin is numpy.ndarray:
        return numpy.frombuffer(arrays[_of(int, value)], dtype=_dtype(options[1]))
    if origin in (list, Sequence):
        return [inner(options[0], item) for item in _of(list, value)]
    if origin is tuple:
        items = _of(list, value)
        kinds = options[:1] * len(items) if options[-1] is ... else options
        return tuple(inner(kind, item) for kind, item in zip(kinds, items, strict=True))
    if hint is Fraction:
        if not FRACTION.fullmatch(_of(str, value)):
            raise Garbled("no fraction")
        return Fraction(value)
    if hint is Path:
        return _inside(folder, _of(str, value))
    if is_dataclass(hint):
        return _record(hint, _of(dict, value), inner)
    if hint is float and type(value) is int:
        return float(value)
    return _of(hint, value)


def _record(kind: Any, value: dict[str, Any], inner: Any) -> Any:
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    if value.keys() != known:
        raise Garbled(f"no {kind.__name__}")
    return kind(**{name: inner(hints[name], item) for name, item in value.items()})


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise Garbled(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def _dtype(hint: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    from matinee.media.timeline import PACKET  # noqa: PLC0415

    (scalar,) = get_args(hint)
    return PACKET if scalar is np.void else np.dtype(scalar)


def _inside(folder: Path | None, name: str) -> Path:
    if folder is None or not name or "/" in name or "\0" in name or name in (".", ".."):
        raise Garbled("a path that is none of the folder's")
    return folder / name

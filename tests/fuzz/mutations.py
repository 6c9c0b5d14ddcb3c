"""Changes a film by bytes and by the parts of its container; the same seed makes the same film."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.fuzz.elements import Element, elements

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MOST_MUTATIONS = 4

ByBytes = Callable[[bytes, random.Random], bytes]
ByParts = Callable[[bytes, Sequence[Element], random.Random], bytes]


def mutant(bases: Sequence[Path], seed: int, number: int) -> tuple[str, bytes]:
    """Film ``number`` of the run ``seed``: the ending of its name, and its bytes."""
    chance = random.Random(f"{seed}/{number}")
    base = chance.choice(bases)
    data = base.read_bytes()
    for _ in range(chance.randint(1, MOST_MUTATIONS)):
        parts = elements(data, base.name)
        if parts and chance.random() < 0.6:
            data = chance.choice(BY_PARTS)(data, parts, chance)
        elif chance.random() < 0.05:
            data = splice(data, chance.choice(bases).read_bytes(), chance)
        elif data:
            data = chance.choice(BY_BYTES)(data, chance)
    return base.suffix, data


# By bytes


def flip(data: bytes, chance: random.Random) -> bytes:
    """Bits anywhere, or close together."""
    changed = bytearray(data)
    first = chance.randrange(len(data))
    reach = chance.choice((16, 256, len(data)))
    for _ in range(chance.choice((1, 4, 32))):
        place = min(len(data) - 1, first + chance.randrange(reach))
        changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed)


def insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.randbytes(chance.choice((1, 4, 188, 1000))) + data[place:]


def delete(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + data[place + chance.choice((1, 4, 188, 1000)) :]


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def double(data: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(data))
    piece = data[begin : begin + chance.choice((4, 188, 2000))]
    return data[: begin + len(piece)] + piece + data[begin + len(piece) :]


def splice(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """The begin of one film and the end of another."""
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other)) :]


# By the parts of a container


def drop_part(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    one = chance.choice(parts)
    return _fitted(data, parts, one, -(one.end - one.start), chance, data[one.end :])


def double_part(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    one = chance.choice(parts)
    copies = data[one.start : one.end] * chance.choice((1, 1, 1, 50))
    if len(copies) > 1_000_000:
        copies = data[one.start : one.end]
    return _fitted(data, parts, one, len(copies), chance, copies + data[one.start :])


def swap_parts(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    """Two parts change places, of the same depth where there are such."""
    one = chance.choice(parts)
    kin = [p for p in parts if p.depth == one.depth and (p.end <= one.start or p.start >= one.end)]
    if not kin:
        return data
    low, high = sorted((one, chance.choice(kin)), key=lambda part: part.start)
    return (
        data[: low.start] + data[high.start : high.end] + data[low.end : high.start]
        + data[low.start : low.end] + data[high.end :]
    )  # fmt: skip


def resize_part(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    """A size that is a little wrong, nothing, or huge."""
    one = chance.choice(parts)
    width = one.body - one.size_at if one.body - one.size_at <= 8 else 4
    width = min(width, 4) if one.size_at == one.start else width
    old = int.from_bytes(data[one.size_at : one.size_at + width], "big")
    new = chance.choice((old + 1, old - 1, old * 2, *EXTREMES, chance.getrandbits(8 * width)))
    value = (new % (1 << 8 * width)).to_bytes(width, "big")
    return data[: one.size_at] + value + data[one.size_at + width :]


def scramble_part(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    """Random bytes in the body."""
    one = chance.choice(parts)
    length = min(one.end - one.body, chance.choice((4, 16, 10_000)))
    place = one.body + chance.randrange(max(1, one.end - one.body - length + 1))
    return data[:place] + chance.randbytes(max(0, length)) + data[place + max(0, length) :]


def set_field(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    """An extreme number in one field of the head of a body."""
    one = chance.choice(parts)
    width = chance.choice((1, 2, 4))
    place = min(one.body + width * chance.randrange(24), max(one.body, one.end - width))
    value = (chance.choice(EXTREMES) % (1 << 8 * width)).to_bytes(width, "big")
    return data[:place] + value + data[place + width :]


def nest_part(data: bytes, parts: Sequence[Element], chance: random.Random) -> bytes:
    """A copy of one part inside another, as its first."""
    inner, outer = chance.choice(parts), chance.choice(parts)
    copy = data[inner.start : inner.end]
    return data[: outer.body] + copy + data[outer.body :]


def _fitted(
    data: bytes, parts: Sequence[Element], one: Element, more: int, chance: random.Random,
    rest: bytes,
) -> bytes:  # fmt: skip
    """What comes before ``one``, then ``rest``; mostly the parts around it grow by ``more``."""
    head = bytearray(data[: one.start])
    if chance.random() < 0.7:
        for around in parts:
            width = around.body - around.size_at
            if around.start < one.start and around.end >= one.end:
                width = 4 if around.size_at == around.start else width
                place = slice(around.size_at, around.size_at + width)
                size = int.from_bytes(head[place], "big") + more
                head[place] = (size % (1 << 8 * width)).to_bytes(width, "big")
    return bytes(head) + rest


BY_BYTES: tuple[ByBytes, ...] = (flip, flip, insert, delete, truncate, double)
BY_PARTS: tuple[ByParts, ...] = (
    drop_part, double_part, swap_parts, resize_part, scramble_part, set_field, set_field, nest_part,
)  # fmt: skip

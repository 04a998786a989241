"""Damage to bytes, to text and to JSON-like values, all of it from one random generator."""

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

# what has been known to break readers of text
NASTY_TEXT = (
    *("", " ", "\t", "\r", "\n", "\r\n", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"),
    *(
        "\ufeff",
        "\u202e",
        "é",
        "e\u0301",
        "中文",
        "🎬",
        ",",
        '"',
        "'",
        '"",',
        "\\",
        "/",
        "..",
        "../",
    ),
    *("-", "-1", "0", "1", "00", "1.0", "1e3", "1e400", "nan", "inf", "9" * 30, "٣", "0x10"),
    *(
        "-rf",
        "$(x)",
        "{x}",
        "{{",
        "%s",
        "a" * 300,
        "null",
        "true",
        "[]",
        "{}",
        "#",
        ":",
        "&a",
        "!x",
    ),
)
NASTY_BYTES = (*(text.encode() for text in NASTY_TEXT), "标题".encode("gbk"), b"\xff\xfe", b"\xc3")
NASTY_VALUES = (
    *(None, True, False, -1, 0, 1, 2**31, 2**63, 10**30, 1.5, -0.0, 1e308, float("inf")),
    *(float("nan"), "", "x", "-rf", "a\nb", "a\tb", "{x}", "null", "1", "中文", [], {}, [None]),
    *({"x": 1}, [[]], ["x"], {1: 2}),
)

Damage = Callable[[bytearray, Random], None]


def _span(data: bytearray, rng: Random, longest: int = 1 << 12) -> slice:
    start = rng.randrange(len(data) + 1)
    return slice(start, start + rng.randint(1, rng.choice((4, 64, longest))))


def _flip(data: bytearray, rng: Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, rng: Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _cut_off(data: bytearray, rng: Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _cut_out(data: bytearray, rng: Random) -> None:
    del data[_span(data, rng)]


def _zero(data: bytearray, rng: Random) -> None:
    span = _span(data, rng)
    data[span] = bytes(len(data[span]))


def _noise(data: bytearray, rng: Random) -> None:
    span = _span(data, rng)
    data[span] = rng.randbytes(len(data[span]))


def _repeat(data: bytearray, rng: Random) -> None:
    span = _span(data, rng)
    data[span.stop : span.stop] = data[span]


def _insert(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice(NASTY_BYTES)


def _large_number(data: bytearray, rng: Random) -> None:
    """Sizes and counts of binary formats are numbers of four bytes."""
    at = rng.randrange(len(data) + 1)
    data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))


def _line(data: bytearray, rng: Random) -> None:
    """Delete a line, repeat it, or change its place."""
    lines = data.split(b"\n")
    line = lines.pop(rng.randrange(len(lines)))
    for _ in range(rng.randrange(3)):
        lines.insert(rng.randrange(len(lines) + 1), line)
    data[:] = b"\n".join(lines)


def _field(data: bytearray, rng: Random) -> None:
    """Put something nasty in the place of a field, whatever separates the fields."""
    separator = rng.choice((b",", b"\t", b" ", b"\n", b":", b"="))
    fields = data.split(separator)
    fields[rng.randrange(len(fields))] = bytearray(rng.choice(NASTY_BYTES))
    data[:] = separator.join(fields)


BINARY: tuple[Damage, ...] = (
    *(_flip, _set_byte, _cut_off, _cut_out, _zero, _noise, _repeat, _insert, _large_number),
)
TEXT: tuple[Damage, ...] = (_flip, _set_byte, _cut_off, _cut_out, _repeat, _insert, _line, _field)


def damaged(data: bytes, rng: Random, ways: tuple[Damage, ...]) -> bytes:
    """`data` after one or more of the ways, mostly one."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 4, 16))):
        rng.choice(ways)(changed, rng)
    return bytes(changed)


def binary(data: bytes, rng: Random) -> bytes:
    return damaged(data, rng, BINARY)


def text(data: bytes, rng: Random) -> bytes:
    return damaged(data, rng, TEXT)


def value(content: Any, rng: Random) -> Any:
    """JSON-like content with one value, at any depth, replaced, or one key gone or renamed."""
    changed = copy.deepcopy(content)
    places = [(changed, key) for key in _keys(changed)]
    for parent, key in places:  # grows while it is walked
        places += [(parent[key], inner) for inner in _keys(parent[key])]
    if not places:
        return rng.choice(NASTY_VALUES)
    parent, key = rng.choice(places)
    match rng.randrange(8):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[rng.choice(NASTY_TEXT)] = parent.pop(key)
        case _:
            parent[key] = copy.deepcopy(rng.choice(NASTY_VALUES))
    return changed


def _keys(content: Any) -> list:
    if isinstance(content, dict):
        return list(content)
    return list(range(len(content))) if isinstance(content, list) else []


def every(content: Any) -> Iterator[tuple[str, Any]]:
    """What `value` may make of JSON-like content, one after the other, each with its place.

    Of a list the first item alone, which stands for the others. A key is not renamed.
    """
    for place in _places(content):
        name = " > ".join(map(str, place))
        for damage in ("gone", *NASTY_VALUES):
            changed = copy.deepcopy(content)
            parent = changed
            for key in place[:-1]:
                parent = parent[key]
            if damage == "gone":
                del parent[place[-1]]
            else:
                parent[place[-1]] = copy.deepcopy(damage)
            yield f"{name}: {damage!r}", changed


def _places(content: Any) -> Iterator[tuple]:
    for key in _keys(content)[: None if isinstance(content, dict) else 1]:
        yield (key,)
        yield from ((key, *inner) for inner in _places(content[key]))

"""Values that no argument expects, and how to put one into the place of a good one."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from evolution_sdk import Jid, MessageKey, PhoneNumber


class Colour(enum.Enum):
    RED = 1


class Word(enum.StrEnum):
    TEXT = "text"


class Silent:
    """An object that breaks when it is shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Stranger:
    """An object with every attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class Quarrel(BaseModel):
    """A model that is none of ours."""

    id: str = "x"


class Scalar:
    """A number of a library, such as numpy's: convertible, and no int."""

    def __init__(self, value: int) -> None:
        self._value = value

    def __index__(self) -> int:
        return self._value

    __int__ = __index__

    def __float__(self) -> float:
        return float(self._value)

    def __array__(self) -> Any:
        return self


class Unequal:
    """An object that cannot be compared or hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")


def _loop() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


def _deep() -> Any:
    deep: Any = "x"
    for _ in range(3_000):
        deep = [deep]
    return deep


def _deep_object() -> Any:
    deep: Any = "x"
    for _ in range(3_000):
        deep = {"a": deep}
    return deep


NASTY: dict[str, Any] = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "huge": 10**30,
    "too huge for digits": 10**5_000,
    "minus huge": -(10**30),
    "float": 1.5,
    "minus zero": -0.0,
    "tiny": 5e-324,
    "largest": 1.7e308,
    "nan": math.nan,
    "inf": math.inf,
    "minus inf": -math.inf,
    "complex": 1j,
    "decimal": Decimal("1.5"),
    "decimal nan": Decimal("sNaN"),
    "fraction": Fraction(1, 3),
    "number of a library": Scalar(5),
    "empty text": "",
    "blank": "   ",
    "text": "ok",
    "long text": "x" * 10_000,
    "many digits": "9" * 5_000,
    "lone surrogate": "a\ud800b",
    "surrogate pair by halves": "\ud83d\ude00",
    "control characters": "a\x00b\x1b\r\nX: y",
    "direction marks": "\u202e\u2066",
    "non-ascii digits": "٣٤٥٦٧٨٩٠١٢",
    "emoji": "👍",
    "path": "no/such/folder/../file",
    "url": "http://[::1",
    "bad host": "http://" + "a" * 70 + "..x/",
    "percent": "%s %d {0} {name}",
    "jid": "5511987654321@s.whatsapp.net",
    "device of 5000 digits": f"5511987654321:{'1' * 5_000}@s.whatsapp.net",
    "odd jid": "a@b@c",
    "bytes": b"abc",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "list": [],
    "list of none": [None],
    "list of numbers": [1, 2.5, True],
    "list of texts": ["a", "b"],
    "list of surrogates": ["a\udfff"],
    "list of lists": [[["x"]]],
    "list of objects": [object()],
    "list of itself": _loop(),
    "deep list": _deep(),
    "deep object": _deep_object(),
    "tuple": (1, "a"),
    "set": {1, 2},
    "frozenset": frozenset({"a"}),
    "dict": {},
    "dict of none": {"a": None},
    "dict with number keys": {1: 2},
    "dict with surrogate": {"a\ud800": "\ud800"},
    "dict with object": {"a": object()},
    "dict with nan": {"a": math.nan},
    "dict with bytes": {"a": b"\xff"},
    "key without id": {"key": {}},
    "generator": None,
    "range": range(3),
    "naive time": datetime(2026, 1, 1),
    "aware time": datetime(2026, 1, 1, tzinfo=UTC),
    "first time": datetime.min,
    "last time": datetime.max.replace(tzinfo=UTC),
    "date": date(2026, 1, 1),
    "duration": timedelta(days=999_999_999),
    "minus duration": timedelta(seconds=-1),
    "file path": Path("no/such/file"),
    "path with nul": Path("a\x00b"),
    "enum": Colour.RED,
    "text enum": Word.TEXT,
    "enum class": Colour,
    "class": int,
    "error class": ValueError,
    "error": ValueError("x"),
    "function": len,
    "lambda": lambda *_: 1 / 0,
    "object": object(),
    "silent": Silent(),
    "stranger": Stranger(),
    "unequal": Unequal(),
    "model": Quarrel(),
    "ellipsis": ...,
    "module": math,
    "number": PhoneNumber("5511987654321"),
    "a jid": Jid("5511987654321", "s.whatsapp.net", 3),
    "empty key": MessageKey(),
}


def nasty(name: str) -> Any:
    """One of them; what can be used once only is made anew."""
    if name == "generator":
        return iter(["a", 1])
    return NASTY[name]


def each() -> Iterator[str]:
    """Their names."""
    return iter(NASTY)

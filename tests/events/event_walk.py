"""Looks at everything that can be reached from an event by public names, and mutates its body."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel

_MOST_DEPTH = 8
_PLAIN = (str, bytes, int, float, bool, datetime, Enum, type(None))


@functools.cache
def public_names(kind: type[Any]) -> tuple[str, ...]:
    """Names of all public properties and fields of a class of the SDK."""
    names = {
        name
        for name, member in inspect.getmembers(kind)
        if isinstance(member, property | functools.cached_property)
    }
    if dataclasses.is_dataclass(kind):
        names |= {field.name for field in dataclasses.fields(kind)}
    if issubclass(kind, BaseModel):
        names |= set(kind.model_fields)
        names -= {name for name in dir(BaseModel) if name.startswith("model_")}
    return tuple(sorted(name for name in names if not name.startswith("_")))


def walk(value: Any, path: str = "event", depth: int = 0) -> Iterator[str]:
    """Read every public attribute, all the way down.

    Yields:
        The path of each attribute that was read.

    Raises:
        AssertionError: An attribute raised; its path is named.
    """
    if isinstance(value, _PLAIN) or depth > _MOST_DEPTH:
        return
    if isinstance(value, tuple):
        # Two tell as much as two thousand.
        for at, item in enumerate(value[:2]):
            yield from walk(item, f"{path}[{at}]", depth + 1)
    elif isinstance(value, Mapping):
        if value and type(next(iter(value.values()))).__module__.startswith("evolution_sdk"):
            yield from walk(tuple(value.values()), path, depth)
    elif type(value).__module__.startswith("evolution_sdk"):
        for name in public_names(type(value)):
            try:
                found = getattr(value, name)
            except Exception as error:
                raise AssertionError(f"{path}.{name} raised {error!r}") from error
            yield f"{path}.{name}"
            yield from walk(found, f"{path}.{name}", depth + 1)


HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2, 2**70, 1e308, 0.5, "", "0", "1", "abc", "\ud800", "1@lid"),
    *("1@g.us", "status@broadcast", "5511900000002@s.whatsapp.net", "1700", "9" * 5_000),
    *([], {}, [[]], [None], {"": None}, {"0": 255, "1": "x"}, {"0": -1}, {"low": "x", "high": 2}),
    *({"low": -1, "high": -1, "unsigned": True}, {"text": {"text": 1}}, "{", '{"id":[]}', "[]"),
    *('{"id":{"a":1},"display_text":7}', {"message": {"conversation": 5}}, {"type": "Buffer"}),
    {"type": "Buffer", "data": [1, "x", 256]},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all parts of a body."""
    found = [path] if path else []
    steps: Any = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, inner in steps:
        found += places(inner, (*path, step))
    return found


class Mutations:
    """Makes bodies out of others, always the same ones from one seed.

    Args:
        bodies: Recorded bodies and cases.
        seed: Of the choices.
    """

    def __init__(self, bodies: list[Any], seed: int) -> None:
        self._bodies = bodies
        self._places = [places(body) for body in bodies]
        self._random = random.Random(seed)

    def make(self) -> Any:
        """Return a body with one to four of its parts changed."""
        chosen = self._random.randrange(len(self._bodies))
        body = copy.deepcopy(self._bodies[chosen])
        for _ in range(self._random.randint(1, 4)):
            *path, last = self._random.choice(self._places[chosen])
            holder = body
            for step in path:
                try:
                    holder = holder[step]
                except (KeyError, IndexError, TypeError):
                    break  # an earlier change removed it
            else:
                self._change(holder, last)
        return body

    def _change(self, holder: Any, last: Any) -> None:
        if not isinstance(holder, dict | list):
            return
        try:
            old = holder[last]
        except (KeyError, IndexError, TypeError):
            return
        match self._random.randrange(7):
            case 0 | 1:
                holder[last] = copy.deepcopy(self._random.choice(HOSTILE))
            case 2:
                holder[last] = self._part_of_another()
            case 3:
                holder[last] = [old, copy.deepcopy(old)]
            case 4:
                holder[last] = {str(last): old}
            case 5:
                holder[last] = {"message": old}
            case _:
                del holder[last]

    def _part_of_another(self) -> Any:
        chosen = self._random.randrange(len(self._bodies))
        part = self._bodies[chosen]
        for step in self._random.choice(self._places[chosen]):
            part = part[step]
        return copy.deepcopy(part)

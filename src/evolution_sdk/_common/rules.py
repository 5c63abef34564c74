"""Rules of values, made of annotations: words for people, and a test."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeGuard, TypeVar

from pydantic import BaseModel

from evolution_sdk._base.redact import mask_phone

__all__ = [
    "MOST_MS",
    "MOST_WAIT_MS",
    "Problem",
    "Rule",
    "kind_of",
    "named_rule",
    "shown_value",
    "text_problem",
]

MOST_WAIT_MS = 1_000_000_000
"""The longest wait there is (11 days); a socket's own limit is twice that."""
MOST_MS = 100_000_000_000_000
"""The longest other duration, and the latest time, there is (3,000 years)."""
_MOST_INT = 2**63
_MOST_FLOAT = 1e300
_WAITS = ("timeout_ms", "delay_ms", "wait_ms", "poll_ms")
_SUFFIX_MS = "_ms"


class Problem(NamedTuple):
    """A complaint about a value.

    Attributes:
        where: Where in it, such as ``[2]``.
        rule: The rule it breaks; empty where its type is wrong.
        unsendable: Whether it is only wrong to send such a value.
    """

    where: str = ""
    rule: str = ""
    unsendable: bool = False


_WRONG_TYPE = Problem()


class Rule(NamedTuple):
    """A rule of one argument: in words, and as a test.

    Attributes:
        wants: Completes "must be".
        test: Tells what is wrong with a value; None when nothing is.
        model: Whether it is a model of ours, of which lists may hold mappings, too.
        phone: Whether it is a phone number or JID, or a list of them.
    """

    wants: str
    test: Callable[[Any], Problem | None]
    model: bool = False
    phone: bool = False


def text_problem(text: str) -> str | None:
    """Say why a text cannot travel: half of a surrogate pair has no form in UTF-8, nor in JSON.

    Args:
        text: Any text.

    Returns:
        The rule it breaks, with the remedy; None when it is good.
    """
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return (
            f"holds half a character at {error.start} (a lone surrogate), which UTF-8 cannot "
            "carry: decode it anew from its source, or drop it with "
            "text.encode('utf-8', 'ignore').decode()"
        )
    return None


def named_rule(name: str, hint: Any) -> Rule:
    rule = _rule(hint)
    if not name.endswith(_SUFFIX_MS):
        return rule
    most, words = (MOST_WAIT_MS, "11 days") if name.endswith(_WAITS) else (MOST_MS, "3,000 years")

    def test(value: Any) -> Problem | None:
        problem = rule.test(value)
        if problem is None and isinstance(value, int | float) and value > most:
            return Problem(rule=f"must be at most {most:,} milliseconds ({words})")
        return problem

    return Rule(rule.wants, test)


def _rule(hint: Any) -> Rule:
    """Compile an annotation; what it cannot express is let through."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, TypeVar):
        return _rule(hint.__bound__ or Any)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _any_of([_rule(each) for each in inner])
    if origin is Literal:
        return _one_of(inner)
    if origin is typing.Annotated or origin is typing.Required or origin is typing.NotRequired:
        return _rule(inner[0])
    kind: Any = origin or hint
    if kind in (typing.IO, typing.TextIO, typing.BinaryIO):
        return Rule("an open file", _file)
    if kind is type:
        return _instance(type, "a class")
    if kind is Callable or getattr(kind, "__name__", "") == "Callable":
        return Rule("a function", _function)
    if not _is_class(kind) or (
        getattr(kind, "_is_protocol", False) and not getattr(kind, "_is_runtime_protocol", False)
    ):
        return _ANYTHING
    if typing.is_typeddict(kind) or issubclass(kind, Mapping):
        return _mapping(inner)
    if _is_standard_iterable(kind):
        return _several(inner)
    return _instance(kind)


def _instance(kind: type[Any], wants: str = "") -> Rule:
    def test(value: Any) -> Problem | None:
        return None if isinstance(value, kind) else _WRONG_TYPE

    article = "an" if kind.__name__[:1] in "AEIOU" else "a"
    is_phone = kind.__name__ == "PhoneNumber"
    return Rule(wants or f"{article} {kind.__name__}", test, issubclass(kind, BaseModel), is_phone)


def _any_of(rules: list[Rule]) -> Rule:
    wanted = [rule.wants for rule in rules if rule.wants != "None"]

    def test(value: Any) -> Problem | None:
        told = _WRONG_TYPE
        for rule in rules:
            problem = rule.test(value)
            if problem is None:
                return None
            if problem.where or problem.unsendable or (problem.rule and len(wanted) == 1):
                told = problem
        return told

    wants = _KNOWN_UNIONS.get(frozenset(wanted)) or " or ".join(wanted)
    return Rule(wants, test, phone=any(rule.phone for rule in rules))


_KNOWN_UNIONS = {
    frozenset({"text", "a PhoneNumber", "a Jid"}): "a phone number or JID",
    frozenset({"text", "a PhoneNumber"}): "a phone number",
    frozenset({"a Message", "a MessageKey"}): "a message or its key",
    frozenset({"a Message", "a MessageKey", "text"}): "a message, its key or its id",
}


def _one_of(values: tuple[Any, ...]) -> Rule:
    of_bool = any(isinstance(each, bool) for each in values)

    def test(value: Any) -> Problem | None:
        alike = [each for each in values if isinstance(value, type(each))]
        if isinstance(value, bool) and not of_bool:
            alike = []
        if any(value == each for each in alike):
            return None
        return Problem(rule=f"must be {wants}") if alike else _WRONG_TYPE

    shown = ", ".join(map(repr, values))
    wants = shown if len(values) == 1 else f"one of {shown}"
    return Rule(wants, test)


def _mapping(inner: tuple[Any, ...]) -> Rule:
    value_rule = _rule(inner[1]) if len(inner) == 2 else _ANYTHING

    def test(value: Any) -> Problem | None:
        if not _is_mapping(value):
            return _WRONG_TYPE
        for key, item in value.items():
            if not isinstance(key, str):
                return Problem(rule=f"must have texts as keys, not {kind_of(key)}")
            problem = _text(key) or value_rule.test(item)
            if problem is not None:
                rule = problem.rule or f"must be {value_rule.wants}, not {kind_of(item)}"
                return problem._replace(where=f"[{key!r}]{problem.where}", rule=rule)
        return None

    return Rule("a mapping", test)


def _several(inner: tuple[Any, ...]) -> Rule:
    item = _rule(inner[0]) if inner else _ANYTHING
    wants = "a list" if not inner or item is _ANYTHING else f"a list of {item.wants}"

    def test(value: Any) -> Problem | None:
        if isinstance(value, str | bytes | bytearray):
            what = "text" if isinstance(value, str) else "bytes"
            return Problem(rule=f"must be {wants}, not one {what}: put it into [ ]")
        if isinstance(value, Mapping) or not _is_iterable(value):
            return _WRONG_TYPE
        if not _is_collection(value):
            return None  # looking into it would use it up
        for index, each in enumerate(value):
            problem = item.test(each)
            # What stands for a model of ours, the request model checks.
            if problem is not None and not (item.model and isinstance(each, Mapping)):
                rule = problem.rule or f"must be {item.wants}, not {kind_of(each)}"
                return problem._replace(where=f"[{index}]{problem.where}", rule=rule)
        return None

    return Rule(wants, test, phone=item.phone)


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_collection(value: object) -> TypeGuard[Collection[Any]]:
    return isinstance(value, Collection)


def _is_iterable(value: object) -> bool:
    return isinstance(value, Iterable)


def _is_class(value: object) -> TypeGuard[type[Any]]:
    return isinstance(value, type)


def _is_standard_iterable(kind: type[Any]) -> bool:
    return issubclass(kind, Iterable) and kind.__module__ in ("builtins", "collections.abc")


def _text(value: Any) -> Problem | None:
    if not isinstance(value, str):
        return _WRONG_TYPE
    rule = text_problem(value)
    return None if rule is None else Problem(rule=rule, unsendable=True)


def _whole(value: Any) -> Problem | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return _WRONG_TYPE
    return None if -_MOST_INT < value < _MOST_INT else Problem(rule="is out of range")


def _number(value: Any) -> Problem | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _WRONG_TYPE
    if -_MOST_FLOAT < value < _MOST_FLOAT:
        return None
    return Problem(rule="must be a finite number")


def _file(value: Any) -> Problem | None:
    """Files of all libraries: their classes have nothing in common, but how they are used."""
    used = (getattr(value, name, None) for name in ("read", "write"))
    return None if any(map(callable, used)) else _WRONG_TYPE


def _bytes(value: Any) -> Problem | None:
    """Servers and sockets hand over all three."""
    return None if isinstance(value, bytes | bytearray | memoryview) else _WRONG_TYPE


def _function(value: Any) -> Problem | None:
    return None if callable(value) else _WRONG_TYPE


def _nothing(value: Any) -> Problem | None:
    return None if value is None else _WRONG_TYPE


def _let_through(_: Any) -> Problem | None:
    return None


def shown_value(value: object, most: int = 60) -> str:
    """The repr of a wrong value, cut short; of one that has none, its type.

    Args:
        value: What somebody gave.
        most: Most characters.

    Returns:
        The text.
    """
    try:
        text = mask_phone(repr(value))
    except Exception:  # noqa: BLE001 - too deep, too many digits, or its own repr is broken
        return f"of type {type(value).__name__}"
    return text if len(text) <= most else text[:most] + "…"


def kind_of(value: object) -> str:
    return "None" if value is None else type(value).__name__


_ANYTHING = Rule("anything", _let_through)
_PLAIN: dict[Any, Rule] = {
    Any: _ANYTHING,
    object: _ANYTHING,
    None: Rule("None", _nothing),
    type(None): Rule("None", _nothing),
    str: Rule("text", _text),
    int: Rule("a whole number", _whole),
    float: Rule("a number", _number),
    bool: _instance(bool, "True or False"),
    bytes: Rule("bytes", _bytes),
}

"""Request validation with the messages, order and habits of the npm ``jsonschema`` library.

A schema is plain data; keywords are checked in the order they are written, and a failed keyword
does not stop the others. ``description`` replaces every message of its schema.

What differs by version is data, too: a property whose schema has ``$has`` is checked by servers
with that behaviour only, ``$lacks`` by those without it, and of an enumeration with ``$events``
only the events remain that the version knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from evolution_sdk.operations.server_version import EVENTS_SINCE, ServerProfile

from .js import UNDEFINED, JsonObject, as_list, as_object, get

Schema: TypeAlias = Mapping[str, Any]
_Failures: TypeAlias = list[tuple[str, str]]
"""The property, and the message."""
_Keyword: TypeAlias = Callable[[Any, Any, Schema, str], _Failures]


def validate(value: Any, schema: Schema) -> list[str]:
    """Check a body.

    Args:
        value: The decoded body.
        schema: Its schema.

    Returns:
        The messages as the server answers them; empty when the body is fine.
    """
    return [message for _, message in _check(value, schema, "instance")]


def schema_of(schema: Any, profile: ServerProfile) -> Any:
    """Take from a schema what a version checks.

    Args:
        schema: The schema of all versions.
        profile: The version.
    """
    members, items = as_object(schema), as_list(schema)
    if items is not None:
        return [schema_of(item, profile) for item in items]
    if members is None:
        return schema
    kept = {
        name: schema_of(value, profile)
        for name, value in members.items()
        if _applies(value, profile)
    }
    if members.get("$events"):
        kept["enum"] = events_of(profile, members["enum"])
    return kept


def _applies(schema: Any, profile: ServerProfile) -> bool:
    has, lacks = get(schema, "$has"), get(schema, "$lacks")
    return (has is UNDEFINED or profile.has(has)) and (lacks is UNDEFINED or not profile.has(lacks))


def events_of(profile: ServerProfile, names: Iterable[str]) -> list[str]:
    """Choose the events that a version knows.

    Args:
        profile: The version.
        names: Events in the spelling of subscriptions, such as ``SEND_MESSAGE``.
    """
    return [name for name in names if profile.at_least(EVENTS_SINCE.get(name, "2.0"))]


def validate_properties(value: Any, schema: Schema) -> list[JsonObject]:
    """Check a body where the answer names each property beside its message (``/group/*``)."""
    failures = _check(value, schema, "instance")
    return [{"property": name, "message": message} for name, message in failures]


def _check(value: Any, schema: Schema, path: str) -> _Failures:
    failures: _Failures = []
    # The order of keywords decides the order of messages, which clients show as they come.
    for keyword, argument in schema.items():
        rule = _KEYWORDS.get(keyword)
        if rule is not None:
            failures += rule(value, argument, schema, path)
    return failures


def _failure(schema: Schema, path: str, message: str) -> _Failures:
    # The server strips the first "instance." of the library's path.
    text = schema.get("description") or f"{path} {message}".replace("instance.", "", 1)
    return [(path.replace("instance.", "", 1), str(text))]


def _is_integer(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}


def _type(value: Any, names: Any, schema: Schema, path: str) -> _Failures:
    # An absent property has no type to be wrong: only `required` misses it.
    if value is UNDEFINED:
        return []
    allowed = [names] if isinstance(names, str) else list(names)
    if any(_TYPES[name](value) for name in allowed):
        return []
    return _failure(schema, path, f"is not of a type(s) {','.join(allowed)}")


def _properties(value: Any, properties: Any, _: Schema, path: str) -> _Failures:
    members = as_object(value)
    if members is None:
        return []
    failures: _Failures = []
    for name, schema in properties.items():
        failures += _check(members.get(name, UNDEFINED), schema, f"{path}.{name}")
    return failures


def _required(value: Any, names: Any, schema: Schema, path: str) -> _Failures:
    if not isinstance(value, dict):
        return []
    failures: _Failures = []
    for name in names:
        if name not in value:
            failures += _failure(schema, path, f"requires property {json.dumps(name)}")
    return failures


def _items(value: Any, schema: Any, _: Schema, path: str) -> _Failures:
    failures: _Failures = []
    for index, item in enumerate(as_list(value) or ()):
        failures += _check(item, schema, f"{path}[{index}]")
    return failures


def _same(left: Any, right: Any) -> bool:
    # JavaScript tells true from 1, Python does not.
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _unique(value: Any, wanted: Any, schema: Schema, path: str) -> _Failures:
    items = (as_list(value) or []) if wanted is True else []
    for index, item in enumerate(items):
        if any(_same(item, other) for other in items[index + 1 :]):
            return _failure(schema, path, "contains duplicate item")
    return []


def _enum(value: Any, allowed: Any, schema: Schema, path: str) -> _Failures:
    if value is UNDEFINED or any(_same(value, item) for item in allowed):
        return []
    # Booleans are spelt the JavaScript way.
    shown = ",".join(str(item).lower() if isinstance(item, bool) else str(item) for item in allowed)
    return _failure(schema, path, f"is not one of enum values: {shown}")


def _pattern(value: Any, pattern: Any, schema: Schema, path: str) -> _Failures:
    # A pattern applies to texts only, and anywhere in them unless it is anchored.
    if not isinstance(value, str) or re.search(pattern, value, re.ASCII):
        return []
    return _failure(schema, path, f"does not match pattern {json.dumps(pattern)}")


def _limit(
    kind: Callable[[Any], bool],
    size: Callable[[Any], float],
    fits: Callable[[float, float], bool],
    words: str,
) -> _Keyword:
    def rule(value: Any, bound: Any, schema: Schema, path: str) -> _Failures:
        # A limit says nothing about values of another type.
        if not kind(value) or fits(size(value), bound):
            return []
        return _failure(schema, path, f"{words} {bound}")

    return rule


def _at_least(size: float, bound: float) -> bool:
    return size >= bound


def _at_most(size: float, bound: float) -> bool:
    return size <= bound


_SHORT = "does not meet minimum length of"
_LONG = "does not meet maximum length of"


def _if(value: Any, condition: Any, schema: Schema, path: str) -> _Failures:
    if value is UNDEFINED:
        return []
    # The messages of the condition itself are never shown.
    if not _check(value, condition, path):
        return _check(value, schema.get("then", {}), path)
    return _check(value, schema.get("else", {}), path)


def _one_of(value: Any, choices: Any, schema: Schema, path: str) -> _Failures:
    if value is UNDEFINED or sum(not _check(value, choice, path) for choice in choices) == 1:
        return []
    names = ",".join(f"[subschema {index}]" for index in range(len(choices)))
    return _failure(schema, path, f"is not exactly one from {names}")


def _property_names(value: Any, schema: Any, _: Schema, path: str) -> _Failures:
    failures: _Failures = []
    for name in as_object(value) or ():
        failures += _check(name, schema, f"{path}.{name}")
    return failures


_KEYWORDS: dict[str, _Keyword] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "items": _items,
    "uniqueItems": _unique,
    "enum": _enum,
    "pattern": _pattern,
    "if": _if,
    "propertyNames": _property_names,
    "oneOf": _one_of,
    "minItems": _limit(_TYPES["array"], len, _at_least, _SHORT),
    "maxItems": _limit(_TYPES["array"], len, _at_most, _LONG),
    "minLength": _limit(_TYPES["string"], len, _at_least, _SHORT),
    "maxLength": _limit(_TYPES["string"], len, _at_most, _LONG),
    "minimum": _limit(_is_number, float, _at_least, "must be greater than or equal to"),
    "maximum": _limit(_is_number, float, _at_most, "must be less than or equal to"),
}

"""What every test of request models checks, whatever the family."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

import pytest

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models import RequestModel
from facts import routes

SEEN = "OFFENDING"
"""Stands for a value that must not show up in an error."""


def _inner(annotation: Any) -> tuple[type[RequestModel] | None, bool]:
    """The model inside an annotation, and whether it is a list."""
    listed = getattr(annotation, "__origin__", None) is tuple
    if isinstance(annotation, type) and issubclass(annotation, RequestModel):
        return annotation, False
    for argument in get_args(annotation):
        model, inner_listed = _inner(argument)
        if model is not None or inner_listed:
            return model, listed or inner_listed
    return None, listed


def wire_names(model: type[RequestModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner, listed = _inner(field.annotation)
        path = f"{prefix}{field.alias or name}{'[]' if listed else ''}"
        yield path
        if inner is not None:
            yield from wire_names(inner, f"{path}.")


def compare_with_the_table(
    groups: Collection[str],
    bodies: Mapping[str, type[RequestModel]],
    beyond: Collection[str] = (),
) -> None:
    """Every body of these groups is declared, and has the server's fields and no others."""
    table = routes()
    found = {key for key, route in table.items() if route["group"] in groups and route["body"]}
    assert found == bodies.keys()
    for key, model in bodies.items():
        fields = table[key]["body"]
        ours = set(wire_names(model))
        assert ours - {field["name"] for field in fields} - set(beyond) == set(), key
        required = {f["name"] for f in fields if f["required"] and "." not in f["name"]}
        assert required - ours == set(), key


def nothing_is_null(value: Any) -> bool:
    if isinstance(value, dict):
        return all(nothing_is_null(inner) for inner in value.values())
    if isinstance(value, list):
        return all(nothing_is_null(inner) for inner in value)
    return value is not None


def good_values_pass_and_only_they_travel(
    model: type[RequestModel], values: dict[str, Any]
) -> None:
    """Nothing travels that was not given, and nothing of it shows."""
    unset = {name: None for name in model.model_fields if name not in values}
    request = model.check(**values, **unset)
    body = request.body()
    fields = model.model_fields.items()
    defaults = {name for name, f in fields if not f.is_required() and f.default is not None}
    assert set(body) == {model.model_fields[n].alias or n for n in {*values, *defaults}}
    assert nothing_is_null(body)
    assert json.loads(json.dumps(body)) == body
    assert repr(request) == f"{model.__name__}()"
    assert str(request) in ("", repr(request))


def a_broken_rule_is_named_without_the_value(
    model: type[RequestModel], values: dict[str, Any], field: str, rule: str
) -> None:
    """The error names field and rule, and nothing leads back to the value."""
    with pytest.raises(RequestValidationError) as caught:
        model.check(**values)
    error = caught.value
    assert error.field == field
    assert rule in error.rule
    assert str(error) == f"{error.field}: {error.rule}"
    assert SEEN not in f"{error}{error!r}{error.args}"
    # Nothing leads back to the value either: the chain is cut.
    assert error.__cause__ is None
    assert error.__suppress_context__

"""Lists of which few members are decoded: the same results, and counts of models built."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pydantic
import pytest

from evolution_sdk.models.base import Model
from evolution_sdk.models.instance import InstanceInfo
from evolution_sdk.models.lazy_list import LazyReader, PickedRows
from evolution_sdk.operations.operation import read_as
from evolution_sdk.operations.routes.instance import FETCH_INSTANCES

VERSIONS = Path(__file__).parents[2] / "facts" / "versions"
LEAN = read_as(FETCH_INSTANCES, LazyReader(InstanceInfo, "name", "connection_status", "owner_jid"))


def recorded() -> list[Any]:
    """Every row of an instance that a server listed."""
    rows: list[Any] = []
    for version in ("2.2.3", "2.3.7", "2.4-pre"):
        path = VERSIONS / version / "baileys_exchanges.json"
        for each in json.loads(path.read_text("utf-8")):
            told = each["response"]["json"]
            if each.get("operation") == "instance.fetch_instances" and isinstance(told, list):
                rows += told
    assert len(rows) > 3
    return rows


def hostile() -> list[tuple[str, bytes]]:
    """Answers made from recorded ones that no server should give."""
    row = recorded()[0]
    bad: dict[str, Any] = {
        "no name": [row, {**row, "name": None}, {k: v for k, v in row.items() if k != "name"}],
        "odd types": [{**row, "name": {"a": 1}, "connectionStatus": ["open"], "ownerJid": 3}],
        "odd elsewhere": [{**row, "_count": "many", "createdAt": "never", "Setting": []}],
        "own spelling": [{"name": "a", "connection_status": "open"}],
        "no objects": [row, 1, None, "x", [row]],
        "an object": row,
        "null": None,
        "text": "open",
        "empty": [],
        "letters": [{**row, "name": "ação", "connectionStatus": "new"}],
        "half a surrogate": [row, {**row, "name": "a\ud800"}],
    }
    found = [(name, json.dumps(each).encode()) for name, each in bad.items()]
    twice = b'[{"name": "a", "connectionStatus": "close", "connectionStatus": "open"}]'
    # Before 2.11 a model of pydantic takes the first one of two, its reader of JSON the last.
    tells_one = tuple(map(int, pydantic.VERSION.split(".")[:2])) >= (2, 11)
    return [*found, ("a member twice", twice)] if tells_one else found


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rows of which a model was built."""
    rows: list[Any] = []
    build = InstanceInfo.from_wire.__func__  # type: ignore[attr-defined]

    def count(cls: type[Model], data: Any) -> Any:
        rows.append(data)
        return build(cls, data)

    monkeypatch.setattr(InstanceInfo, "from_wire", classmethod(count))
    return rows


@pytest.mark.parametrize(
    ("name", "body"),
    [("recorded", json.dumps(recorded()).encode()), *hostile()],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_lazy_list_is_equal_to_the_list(name: str, body: bytes) -> None:
    whole = FETCH_INSTANCES.parse(200, body)
    lean = LEAN.parse(200, body)

    # Before anything is looked at.
    assert lean.texts("name") == [each.name for each in whole], name
    assert lean.texts("connection_status") == [each.connection_status for each in whole]
    assert lean == whole
    assert whole == lean
    assert len(lean) == len(whole)
    assert repr(lean) == repr(whole)
    assert [each.raw for each in lean] == [each.raw for each in whole]
    assert [each.drift for each in lean] == [each.drift for each in whole]
    assert lean[1:] == whole[1:]
    assert list(reversed(lean)) == whole[::-1]
    again = pickle.loads(pickle.dumps(LEAN.parse(200, body)))
    assert again == whole
    assert [each.raw for each in again] == [each.raw for each in whole]


def test_names_and_states_build_no_model(built: list[Any]) -> None:
    rows = recorded()
    lean = LEAN.parse(200, json.dumps(rows).encode())

    assert isinstance(lean.rows, PickedRows)
    assert lean.texts("name") == [row["name"] for row in rows]
    assert lean.texts("connection_status") == [row["connectionStatus"] for row in rows]
    assert built == []
    assert {*lean.rows[0]} == {"name", "connectionStatus", "ownerJid"}

    assert lean[-1] is lean[len(rows) - 1]
    assert built == [rows[-1]]


def test_only_what_is_no_plain_text_is_built(built: list[Any]) -> None:
    row = recorded()[0]
    rows = [row, {**row, "connectionStatus": None}, {**row, "name": "ação"}]

    lean = LEAN.parse(200, json.dumps(rows).encode())

    assert lean.texts("connection_status") == [
        row["connectionStatus"],
        None,
        row["connectionStatus"],
    ]
    assert lean.texts("name") == [row["name"], row["name"], "ação"]
    assert built == rows[1:]


def test_a_row_without_a_name_is_told_at_once() -> None:
    body = json.dumps([recorded()[0], {"instance": {"instanceName": "a"}}]).encode()

    assert LEAN.decode(200, body).drift == FETCH_INSTANCES.decode(200, body).drift == ("name",)


def test_an_index_outside_is_refused() -> None:
    lean = LEAN.parse(200, b"[]")

    for place in (0, -1, 1):
        with pytest.raises(IndexError):
            lean[place]


def test_what_is_no_json_fails_alike() -> None:
    for body in (b"[{", b"<html>", b"[" * 3_000):
        with pytest.raises(Exception) as whole:
            FETCH_INSTANCES.parse(200, body)
        with pytest.raises(type(whole.value)) as lean:
            LEAN.parse(200, body)
        assert str(lean.value) == str(whole.value)

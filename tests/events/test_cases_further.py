"""Further inputs of each kind: `tests/data/cases/further.json`, with their sources.

``right`` holds a value for each path of attributes of the last event. Words before a path, or in
its place, say more:

* ``not PATH``: any other value; ``has PATH``: a part of the text; ``PATH?``: told or not.
* ``phone of PATH``: the digits of a JID's phone; ``time PATH``: seconds since 1970.
* ``phone(JID)``, ``pairs``: what a LID map learned from the events; ``handled(FILTER)``.
* ``distinct``: how many events remain without copies. ``error``, ``retryable``, ``phase``,
  ``dead session``: about an answer of the server. ``path``: of an operation. ``has_row``: the id
  of something to press.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from case_bench import digits_of, handles, learned, phone, posted

from evolution_sdk import OPERATIONS, Jid
from evolution_sdk.errors import EvolutionAPIError, InstanceNotConnectedError
from evolution_sdk.events import filters, parse_event
from facts import ROOT

FOLDER = ROOT / "tests/data/cases"
FURTHER: list[dict[str, Any]] = json.loads((FOLDER / "further.json").read_text("utf-8"))
GIVEN: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text("utf-8"))
WITH_EVENTS = [case for case in FURTHER if "events" in case and case["kind"] not in "DL"]


def plain(value: Any) -> Any:
    """The value as JSON could hold it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Jid):
        return str(value)
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def follow(root: Any, path: str) -> Any:
    """Follow a path of attributes, list positions and keys; None ends it."""
    for step in path.split("."):
        if root is None:
            return None
        if step.isdigit():
            root = root[int(step)]
        else:
            root = root[step] if isinstance(root, Mapping) else getattr(root, step)
    return root


def value_at(event: Any, asked: str, told: list[Any]) -> Any:
    """Find the value that ``right`` asks for."""
    word, _, rest = asked.partition(" ")
    if asked.startswith("phone("):
        return digits_of(learned(*told), asked[6:-1])
    if asked.startswith("handled("):
        return handles(getattr(filters, asked[8:-1]), event)
    if asked == "pairs":
        return len(learned(*told))
    if asked.endswith("?"):
        return follow(event, asked[:-1]) is not None
    if asked.startswith("phone of "):
        return phone(follow(event, asked.removeprefix("phone of ")))
    if word == "time":
        found = follow(event, rest)
        return found.timestamp() if isinstance(found, datetime) else found
    return plain(follow(event, asked))


def check(case: dict[str, Any], event: Any, told: list[Any]) -> None:
    wrong = {}
    for asked, right in case["right"].items():
        if asked == "not repr":
            found: Any = right not in repr(plain_data(event))
            right = True
        elif asked == "has_row":
            found, right = right in {button.id for button in event.buttons}, True
        elif asked.startswith("not "):
            found, right = plain(follow(event, asked[4:])) != right, True
        elif asked.startswith("has "):
            found, right = right in (follow(event, asked[4:]) or ""), True
        else:
            found = value_at(event, asked, told)
        if found != right or isinstance(found, bool) is not isinstance(right, bool):
            wrong[asked] = (found, right)
    assert not wrong, f"{case['id']} {case['title']}: (found, right) {wrong}"


def plain_data(event: Any) -> list[Any]:
    """The typed details of group members, where a server's mistake must not show."""
    return [details.model_dump() for details in event.data.participants_data]


def names(case: dict[str, Any]) -> str:
    return f"{case['id']} {case['title']}"


def test_there_are_as_many_as_were_handed_over() -> None:
    given, found = (Counter(case["kind"] for case in cases) for cases in (GIVEN, FURTHER))
    assert {kind: count for kind, count in given.items() if found[kind] < count} == {}
    assert len({case["id"] for case in FURTHER}) == len(FURTHER)


def test_each_says_where_it_is_from() -> None:
    listed = (FOLDER / "README.md").read_text("utf-8")
    for case in FURTHER:
        assert case["source"]
        assert case["need"]
        assert f"| {case['id']} |" in listed


@pytest.mark.parametrize("case", WITH_EVENTS, ids=names)
def test_events(case: dict[str, Any]) -> None:
    events = [parse_event(copy.deepcopy(body)) for body in case["events"]]
    check(case, events[-1], events)
    assert events[-1].raw == case["events"][-1]


@pytest.mark.parametrize("case", [c for c in FURTHER if "learn" in c], ids=names)
def test_answers_that_tell_pairs(case: dict[str, Any]) -> None:
    check(case, None, [case["learn"]])


@pytest.mark.parametrize("case", [c for c in FURTHER if c["kind"] == "D"], ids=names)
def test_copies(case: dict[str, Any]) -> None:
    keys = [parse_event(copy.deepcopy(body)).delivery_key for body in case["events"]]
    assert len(set(keys)) == case["right"]["distinct"]
    with posted(case["events"]) as seen:
        assert len(seen) == case["right"]["distinct"]


@pytest.mark.parametrize("case", [c for c in FURTHER if c["kind"] == "L"], ids=names)
def test_the_account_is_known_by_its_hidden_id(case: dict[str, Any]) -> None:
    with posted(case["events"]) as seen:
        check(case, seen[-1], seen)


@pytest.mark.parametrize("case", [c for c in FURTHER if "answer" in c], ids=names)
def test_answers(case: dict[str, Any]) -> None:
    answer = case["answer"]
    with pytest.raises(EvolutionAPIError) as caught:
        OPERATIONS[answer["operation"]].parse(answer["status"], json.dumps(answer["body"]).encode())
    error, right = caught.value, case["right"]
    if "dead session" in right:
        assert isinstance(error, InstanceNotConnectedError) is right["dead session"]
    if "error" in right:
        assert type(error).__name__ == right["error"]
        assert error.retryable is right["retryable"]
        assert error.phase.value == right["phase"]


@pytest.mark.parametrize("case", [c for c in FURTHER if "operation" in c], ids=names)
def test_routes(case: dict[str, Any]) -> None:
    assert OPERATIONS[case["operation"]].path == case["right"]["path"]

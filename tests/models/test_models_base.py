"""The rules of every model: generous with what the server says, and silent about secrets."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk import models
from evolution_sdk.models import (
    ConnectionState,
    ConnectionStatus,
    Contact,
    InstanceInfo,
    MessageStatus,
    Model,
    OpenEnum,
    SentMessage,
    StoredMessage,
)
from evolution_sdk.models.base import IsoTime, Number, UnixTime
from evolution_sdk.models.message import MessageSearch
from evolution_sdk.models.pruning import prune


def all_models(root: type[Model] = Model) -> list[type[Model]]:
    own = [root] if root is not Model and root.__module__.startswith("evolution_sdk.") else []
    return own + [model for child in root.__subclasses__() for model in all_models(child)]


MODELS = sorted(set(all_models()), key=lambda model: model.__name__)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def wire_names(model: type[Model]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def test_there_are_models() -> None:
    assert len(MODELS) >= 35
    assert {getattr(models, name) for name in models.__all__ if name[0].isupper()} >= {SentMessage}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_no_json_makes_a_model_raise(model: type[Model], data: st.DataObject) -> None:
    fields = st.dictionaries(st.sampled_from([*wire_names(model), "zz"]), JSON, max_size=6)
    wire = data.draw(JSON | fields)
    made = model.from_wire(wire)
    assert isinstance(made, model)
    assert made.raw is wire
    assert isinstance(repr(made), str)
    made.model_dump(mode="json", by_alias=True)


@given(JSON)
def test_no_json_makes_a_page_of_messages_raise(wire: Any) -> None:
    for answer in (wire, {"messages": wire}, {"messages": {"records": wire}}):
        assert MessageSearch.page_from_wire(answer).raw is answer


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_may_be_shown_and_expected_exists(model: type[Model]) -> None:
    made = model.from_wire({})
    for name in model.shown:
        getattr(made, name)
    assert set(model.expected) <= set(wire_names(model))
    assert made.drift == model.expected


SECRET = "s3cr3t-VALUE"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_repr_shows_nothing_but_what_it_may(model: type[Model]) -> None:
    shown_fields = {name for name in model.shown if name in model.model_fields}
    hidden = {
        field.alias or name: SECRET
        for name, field in model.model_fields.items()
        if name not in shown_fields
    }
    rest: dict[str, Any] = dict.fromkeys(set(model.model_fields) - shown_fields, SECRET)
    loose = model.model_construct(None, **rest)
    for made in (model.from_wire({**hidden, "unknown": SECRET}), model.from_wire(SECRET)):
        for text in (repr(made), str(made), f"{made}", repr([made])):
            assert SECRET not in text
    if not set(model.shown) - shown_fields:
        assert SECRET not in repr(loose)


@pytest.mark.parametrize(
    "name", ["token", "hash", "base64", "code", "pairingCode", "facebookUserToken", "text", "url"]
)
def test_nothing_secret_is_among_what_may_be_shown(name: str) -> None:
    for model in MODELS:
        shown = {model.model_fields[n].alias or n for n in model.shown if n in model.model_fields}
        assert name not in shown, model
        assert name not in model.shown, model


def test_a_missing_field_is_drift_and_keeps_its_default() -> None:
    made = Contact.from_wire({"pushName": "Jo"})
    assert made.drift == ("remoteJid",)
    assert (made.remote_jid, made.push_name) == ("", "Jo")


@pytest.mark.parametrize("wire", [None, [], "x", 7, True, [{"remoteJid": "1"}]])
def test_another_kind_of_json_is_drift(wire: Any) -> None:
    made = Contact.from_wire(wire)
    assert made.drift == ("(not an object)",)
    assert made.raw == wire


def test_a_wrong_type_costs_only_that_field() -> None:
    made = InstanceInfo.from_wire({"name": "sales", "number": 55, "token": "t", "createdAt": "?"})
    assert set(made.drift) == {"number", "createdAt"}
    assert (made.name, made.number, made.token) == ("sales", None, "t")
    assert made.raw["number"] == 55


def test_one_odd_record_does_not_cost_the_page() -> None:
    good = {"id": "r", "key": {"id": "1", "remoteJid": "1@g.us"}, "messageType": "conversation"}
    records = [good, {**good, "key": None}, 7, {**good, "message": [1], "status": 3}, good]
    page = MessageSearch.page_from_wire({"messages": {"total": "x", "records": records}})
    assert [record.id for record in page.records] == ["1", "", "1", "1"]
    assert set(page.drift) == {
        "records[].key",
        "records[]",
        "records[].message",
        "records[].status",
        "total",
    }
    assert page.raw["messages"]["records"] == records


def test_a_part_of_an_answer_knows_its_own_raw_data() -> None:
    wire = {"instance": {"instanceName": "sales", "state": "open", "new": 1}}
    made = ConnectionState.from_wire(wire)
    assert made.raw is wire
    assert made.instance.raw == wire["instance"]


def test_unknown_fields_stay() -> None:
    made = Contact.from_wire({"remoteJid": "1@g.us", "brandNew": {"deep": [1]}})
    assert made.drift == ()
    assert made.model_dump(by_alias=True, exclude_unset=True)["brandNew"] == {"deep": [1]}
    assert made.brandNew == {"deep": [1]}  # type: ignore[attr-defined]


def enums(root: type[OpenEnum] = OpenEnum) -> list[type[OpenEnum]]:
    return [enum for child in root.__subclasses__() for enum in [child, *enums(child)]]


@pytest.mark.parametrize("enum", enums(), ids=lambda enum: enum.__name__)
def test_unknown_enum_values_survive(enum: type[OpenEnum]) -> None:
    new = enum("BRAND_NEW")
    assert new == "BRAND_NEW"
    assert new == enum("BRAND_NEW")
    assert hash(new) == hash("BRAND_NEW")
    assert str(new) == new.value == new.name == "BRAND_NEW"
    assert not new.is_known
    assert "BRAND_NEW" not in [member.value for member in enum]
    assert pickle.loads(pickle.dumps(new)) == copy.deepcopy(new) == copy.copy(new) == new
    assert json.dumps([new]) == '["BRAND_NEW"]'
    assert all(member.is_known for member in enum)
    with pytest.raises(ValueError):
        enum(7)  # type: ignore[arg-type]


def test_unknown_enum_values_survive_in_a_model() -> None:
    made = ConnectionState.from_wire({"instance": {"instanceName": "x", "state": "dreaming"}})
    assert made.drift == ()
    assert made.state == "dreaming"
    assert made.state is not ConnectionStatus.OPEN
    assert made.model_dump(mode="json", by_alias=True, exclude_unset=True) == made.raw


def test_statuses_are_ordered_by_progress() -> None:
    ladder = ("ERROR", "PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")
    assert [MessageStatus(name).rank for name in ladder] == [0, 1, 2, 3, 4, 5]
    assert MessageStatus("DELETED").rank == MessageStatus("NEW").rank == -1
    assert MessageStatus.SENT.rank == MessageStatus.SERVER_ACK.rank
    updates = [{"status": "READ"}, {"status": "DELIVERY_ACK"}, {}]
    stored = StoredMessage.from_wire({"status": "PENDING", "MessageUpdate": updates})
    assert stored.latest_status is MessageStatus.READ
    assert StoredMessage.from_wire({"status": "PENDING"}).latest_status is MessageStatus.PENDING


def test_models_are_frozen_copy_and_pickle() -> None:
    made = SentMessage.from_store({"key": {"id": "1"}, "messageType": "x"})
    with pytest.raises(ValueError, match="frozen"):
        made.push_name = "other"
    for twin in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert twin == made
        assert (twin.raw, twin.drift, twin.reconciled) == (made.raw, made.drift, True)
    assert not SentMessage.from_wire({}).reconciled


class Times(Model):
    """The three special kinds of field."""

    unix: UnixTime | None = None
    iso: IsoTime | None = None
    number: Number | None = None


MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECONDS = int(MOMENT.timestamp())


@pytest.mark.parametrize(
    "wire", [SECONDS, str(SECONDS), {"low": SECONDS, "high": 0, "unsigned": True}, float(SECONDS)]
)
def test_times_in_seconds_are_aware_and_go_back(wire: Any) -> None:
    made = Times.from_wire({"unix": wire, "number": wire})
    assert made.drift == ()
    assert made.unix == MOMENT
    assert made.unix.utcoffset() == timedelta(0)
    assert made.model_dump(mode="json", exclude_unset=True) == {"unix": SECONDS, "number": SECONDS}


@pytest.mark.parametrize("wire", [10**30, -(10**30), "soon", {"low": 1}, [], 10**14])
def test_an_impossible_time_is_drift(wire: Any) -> None:
    made = Times.from_wire({"unix": wire})
    assert (made.unix, made.drift) == (None, ("unix",))


def test_iso_times_are_aware_and_go_back() -> None:
    made = Times.from_wire({"iso": "2026-01-02T03:04:05.678Z"})
    assert made.model_dump(mode="json", exclude_unset=True) == {"iso": "2026-01-02T03:04:05.678Z"}
    zone = timezone(timedelta(hours=-3))
    away = Times(iso=MOMENT.astimezone(zone))
    assert away.model_dump(mode="json")["iso"] == "2026-01-02T03:04:05.000Z"
    naive = Times.from_wire({"iso": "2026-01-02T03:04:05"})
    assert naive.iso == MOMENT


@pytest.mark.parametrize(
    ("bad", "kept", "names"),
    [
        ([("a",)], {"b": [1, {"c": 2, "d": 3}]}, ("a",)),
        ([("b", 1, "c")], {"a": 0, "b": [1, {"d": 3}]}, ("b[].c",)),
        ([("b", 0), ("b", 1, "d")], {"a": 0, "b": [{"c": 2}]}, ("b[]", "b[].d")),
        # the branch of a union is no member of the data
        ([("a", "str"), ("a", "tuple", 0)], {"b": [1, {"c": 2, "d": 3}]}, ("a",)),
        # where a whole and a part of it are bad, the whole goes
        ([("b", 1, "c"), ("b",)], {"a": 0}, ("b",)),
        ([("b", 1, "c"), ("b", 1, "int")], {"a": 0, "b": [1]}, ("b[]",)),
        ([("gone",)], {"a": 0, "b": [1, {"c": 2, "d": 3}]}, ("(other)",)),
    ],
)
def test_pruning_takes_out_only_the_misfits(bad: Any, kept: Any, names: tuple[str, ...]) -> None:
    data = {"a": 0, "b": [1, {"c": 2, "d": 3}]}
    assert prune(data, bad) == (kept, names)
    assert data == {"a": 0, "b": [1, {"c": 2, "d": 3}]}

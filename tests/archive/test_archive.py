"""The archive keeps what it is told to, once, and gives it back."""

from __future__ import annotations

import csv
import io
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from archive_stage import (
    ANA,
    BOB,
    T0,
    Clock,
    contact,
    delete,
    edit,
    event,
    image,
    record,
    status,
    upsert,
)  # fmt: skip

from evolution_sdk.archive import Archive
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.models import SentMessage


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.fixture
def archive(place: str) -> Iterator[Archive]:
    with Archive(place, clock=Clock()) as made:
        yield made


def test_a_message_is_kept_with_what_matters(archive: Archive) -> None:
    assert archive.record(image())
    found = archive.get("M1")
    assert found is not None
    assert (found.instance, found.chat, found.sender, found.push_name) == (
        "sales", ANA, ANA, "Ana",
    )  # fmt: skip
    assert (found.kind, found.text, found.from_me) == ("image", "foto", False)
    assert found.timestamp == at(T0 + 1)
    assert found.media is not None
    assert found.media.url == "https://s3.example.com/x.jpg"
    assert (found.media.mimetype, found.media.size_bytes) == ("image/jpeg", 7)
    kept = json.dumps(found.raw)
    assert "QUJDREVGRw" not in kept, "references to files, not files"
    assert "mediaKey" not in kept
    assert "foto" not in repr(found)
    assert "s3.example" not in repr(found)


def test_one_message_by_every_transport_is_one(archive: Archive) -> None:
    own = record(key={"fromMe": True}, status="PENDING")
    archive.record_sent(SentMessage.from_wire(own), "sales")
    archive.record(event("send.message", own))
    archive.record(event("send.message", {**own, "pushName": None}))
    archive.record(event("messages.upsert", own))
    (found,) = archive.messages()
    assert found.push_name == "Ana"
    assert found.from_me


def test_the_same_id_in_another_instance_is_another(archive: Archive) -> None:
    archive.record(upsert())
    archive.record(event("messages.upsert", record(), instance="support"))
    assert {m.instance for m in archive.messages()} == {"sales", "support"}
    assert len(archive.messages(instance="support")) == 1
    found = archive.get("M1", instance="support")
    assert found is not None
    assert found.instance == "support"
    assert archive.get("M1", instance="none") is None


def test_own_sends_come_from_the_client(archive: Archive) -> None:
    """``client.observe(archive.observe)``: facts about finished calls."""
    sent = SentMessage.from_wire(record(key={"fromMe": True}, status="PENDING"))
    archive.observe(SimpleNamespace(result=sent, instance="sales"))
    archive.observe(SimpleNamespace(result=["something else"], instance="sales"))
    archive.observe(SimpleNamespace(status=500))
    (found,) = archive.messages()
    assert str(found.status) == "PENDING"


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_changes_come_in_any_order_and_more_than_once(place: str, order: tuple[int, ...]) -> None:
    told = [upsert(), status("READ"), status("DELIVERY_ACK"), edit("Tchau")]
    with Archive(place, clock=Clock()) as archive:
        for index in (*order, *order):
            archive.record(told[index])
        found = archive.get("M1")
        assert found is not None
        assert str(found.status) == "READ"
        assert found.text == "Tchau"
        assert found.edited_at == at(T0 + 60)
        assert len(archive.updates("M1")) == 3
        assert archive.search("tchau") == [found]
        assert archive.search("coracao") == []


def test_a_later_edit_wins(archive: Archive) -> None:
    for each in (edit("second", at=T0 + 90), upsert(), edit("first", at=T0 + 60)):
        archive.record(each)
    (found,) = archive.messages()
    assert found.text == "second"
    assert [update.text for update in archive.updates("M1")] == ["first", "second"]


def test_a_deleted_message_stays_and_says_so(archive: Archive) -> None:
    archive.record(upsert())
    archive.record(delete())
    (found,) = archive.messages()
    assert found.deleted_at == at(T0)
    assert found.text == "Olá, coração!"
    assert [update.kind for update in archive.updates("M1")] == ["delete"]


def test_contacts_are_completed_not_forgotten(archive: Archive) -> None:
    archive.record(event("contacts.upsert", [contact(pushName="Ana"), contact(BOB)]))
    archive.record(event("contacts.update", contact(profilePicUrl="https://x/y.jpg")))
    archive.record(event("contacts.update", {"id": "without a jid"}))
    ana, bob = archive.contacts()
    assert (ana.jid, ana.name, ana.picture_url) == (ANA, "Ana", "https://x/y.jpg")
    assert (bob.jid, bob.name) == (BOB, None)
    assert archive.contacts(instance="other") == []
    assert "Ana" not in repr(ana)


SWITCHES = {
    "messages": "EVOLUTION_STORE_MESSAGES",
    "message_up": "EVOLUTION_STORE_MESSAGE_UP",
    "contacts": "EVOLUTION_STORE_CONTACTS",
}


@pytest.mark.parametrize("on", [*SWITCHES, None])
def test_each_switch_decides(place: str, on: str | None) -> None:
    environ = {"EVOLUTION_API_URL": "http://x", "EVOLUTION_API_KEY": "k"}
    environ["EVOLUTION_STORE_PATH"] = place
    if on is not None:
        environ[SWITCHES[on]] = "true"
    archive = Archive.from_config(EvolutionConfig.from_env(None, environ=environ))
    if on is None:
        assert archive is None
        return
    assert archive is not None
    for each in (upsert(), status("READ"), event("contacts.upsert", [contact()])):
        assert archive.record(each)
    kept = {
        "messages": len(archive.messages()),
        "message_up": len(archive.updates("M1")),
        "contacts": len(archive.contacts()),
    }
    assert kept == {name: int(name == on) for name in SWITCHES}
    if place.startswith("postgres"):
        assert archive.path is None
    else:
        assert archive.path == Path(place)
        assert archive.path.exists()
    archive.close()


def test_the_folder_of_a_file_is_made(tmp_path: Path) -> None:
    with Archive(tmp_path / "new" / "archive.db", clock=Clock()) as archive:
        assert archive.record(upsert())
    assert (tmp_path / "new" / "archive.db").exists()


def test_questions(archive: Archive) -> None:
    archive.record(upsert(1, "um"))
    archive.record(upsert(2, "dois", key={"remoteJid": BOB}))
    archive.record(upsert(3, "três", key={"fromMe": True}))
    archive.record(image(4))

    def ids(**filters: Any) -> list[str]:
        return [message.id for message in archive.messages(**filters)]

    assert ids() == ["M4", "M3", "M2", "M1"]
    assert ids(oldest_first=True, limit=2) == ["M1", "M2"]
    assert ids(chat=BOB) == ["M2"]
    assert ids(sender=ANA) == ["M4", "M1"]
    assert ids(kind="image") == ["M4"]
    assert ids(from_me=True) == ["M3"]
    assert ids(from_me=False, chat=ANA) == ["M4", "M1"]
    assert ids(since=at(T0 + 3)) == ["M4", "M3"]
    assert ids(until=at(T0 + 1)) == ["M1"]
    assert ids(limit=0) == []
    for wrong in ({"since": datetime(2026, 1, 1)}, {"limit": -1}, {"colour": "red"}):
        with pytest.raises(RequestValidationError, match=next(iter(wrong))):
            archive.messages(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("coracao", ["M1"]), ("OLÁ", ["M1"]), ("ola coração", ["M1"]), ("ola adeus", []),
        ('"', []), ("ola AND NOT", []), ("ola*", ["M1"]), ("entrega amanhã", ["M2"]),
    ],
)  # fmt: skip
def test_search_folds_case_and_accents_and_knows_no_operators(
    archive: Archive, words: str, found: list[str]
) -> None:
    archive.record(upsert(1))
    archive.record(upsert(2, "Entrega AMANHÃ às 9h"))
    assert [message.id for message in archive.search(words)] == found


def test_search_takes_words_of_any_kind(archive: Archive) -> None:
    archive.record(upsert())
    for odd in ("coracao\0", "\0", "\ud800", '"', "NEAR(", "*", "^x", "!!!"):
        if odd.strip("\0"):
            archive.search(odd)
    assert [each.id for each in archive.search("ola\0coracao")] == ["M1"]
    with pytest.raises(RequestValidationError):
        archive.search("\0")


def test_search_takes_filters_and_needs_words(archive: Archive) -> None:
    archive.record(upsert(1))
    archive.record(upsert(2, key={"remoteJid": BOB}))
    assert [m.id for m in archive.search("ola", chat=BOB)] == ["M2"]
    with pytest.raises(RequestValidationError, match="text"):
        archive.search("  ")


def test_export_jsonl_holds_everything(archive: Archive, tmp_path: Path) -> None:
    archive.record(upsert(1, "a\nb"))
    archive.record(image(2))
    path = tmp_path / "out.jsonl"
    assert archive.export_jsonl(path, oldest_first=True) == 2
    first, second = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert first["text"] == "a\nb"
    assert first["raw"] == record(1, "a\nb")
    assert first["timestamp"] == "2026-11-23T15:31:30.000Z"
    assert second["media_url"] == "https://s3.example.com/x.jpg"


def test_export_csv_is_safe_in_a_spreadsheet(archive: Archive) -> None:
    archive.record(upsert(1, '=HYPERLINK("http://evil")'))
    archive.record(upsert(2, 'quotes " and, commas'))
    file = io.StringIO()
    assert archive.export_csv(file, oldest_first=True) == 2
    first, second = csv.DictReader(io.StringIO(file.getvalue()))
    assert first["text"] == '\'=HYPERLINK("http://evil")'
    assert second["text"] == 'quotes " and, commas'
    assert archive.export_csv(io.StringIO(), chat=BOB) == 0


def test_retention_by_age_and_by_count(place: str) -> None:
    clock = Clock()
    with Archive(place, clock=clock) as archive:
        for number in range(1, 11):
            archive.record(upsert(number, f"text {number}"))
            archive.record(status("READ", number))
        clock.now = T0 + 103
        assert archive.prune(max_age=timedelta(seconds=100)) == 2
        assert archive.updates("M1") == []
        assert archive.prune(max_messages=3) == 5
        assert [m.id for m in archive.messages()] == ["M10", "M9", "M8"]
        assert [m.id for m in archive.search("text")] == ["M10", "M9", "M8"]
        assert archive.prune() == 0


def test_retention_goes_by_itself(
    new_place: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evolution_sdk.archive.archive._PRUNE_EVERY", 10)
    with Archive(new_place(), clock=Clock(), max_messages=5) as archive:
        for number in range(1, 11):
            archive.record(upsert(number))
        assert len(archive.messages()) == 5
    with Archive(new_place(), clock=Clock(T0 + 9), max_age=timedelta(seconds=3)) as archive:
        for number in range(1, 11):
            archive.record(upsert(number))
        assert {m.id for m in archive.messages()} == {f"M{n}" for n in range(6, 11)}


@pytest.mark.parametrize("wrong", [{"max_age": timedelta(0)}, {"max_messages": 0}])
def test_limits_are_positive(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Archive(tmp_path / "a.db", **wrong)
    assert caught.value.variable in wrong


def test_many_threads_write_and_read(archive: Archive) -> None:
    def work(begin: int) -> None:
        for number in range(begin, begin + 50):
            assert archive.record(upsert(number))
            archive.messages(limit=1)

    threads = [threading.Thread(target=work, args=(n * 40,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(archive.messages()) == 210


def test_other_events_are_nothing_to_keep(archive: Archive) -> None:
    for each in (
        event("connection.update", {"instance": "sales", "state": "open"}),
        event("no.such.event", {}),
        event("messages.upsert", {"key": {}}),
        event("messages.upsert", None),
    ):
        assert archive.record(each)
    assert archive.messages() == []


def test_what_no_database_can_hold_is_made_to_fit(archive: Archive, tmp_path: Path) -> None:
    big = {"imageMessage": {"mimetype": "image/png", "fileLength": str(2**70), "caption": "\ud800"}}
    assert archive.record(upsert(1, message=big, messageType="imageMessage"))
    assert archive.record(upsert(2, "antes\0depois", pushName="A\0"))
    assert len(archive.messages()) == 2
    assert [each.text for each in archive.search("depois")] == ["antes\ufffddepois"]
    assert archive.export_jsonl(tmp_path / "x.jsonl") == 2
    assert archive.lost == 0


def test_records_pickle(archive: Archive) -> None:
    archive.record(image())
    (found,) = archive.messages()
    assert pickle.loads(pickle.dumps(found)) == found


def test_what_may_be_seen_only_once_is_not_kept(archive: Archive) -> None:
    """Told by a wrapper, or by the flag inside the content alone."""
    secret = {"url": "https://mmg.whatsapp.net/s.enc", "caption": "só uma vez"}
    flagged = {"imageMessage": {**secret, "viewOnce": True}}
    wrapped = {"viewOnceMessageV2": {"message": {"imageMessage": secret}}}
    for number, content in enumerate((flagged, wrapped), 1):
        assert archive.record(upsert(number, message=content, messageType=next(iter(content))))
        found = archive.get(f"M{number}")
        assert found is not None
        assert (found.kind, found.text, found.media) == ("image", None, None)
        assert "só uma vez" not in json.dumps(found.raw, ensure_ascii=False)


def test_an_encrypted_edit_marks_the_message_that_it_changes(archive: Archive) -> None:
    archive.record(upsert(1))
    key = {"id": "M1", "fromMe": True, "remoteJid": ANA}
    sealed = {"secretEncryptedMessage": {"targetMessageKey": key, "secretEncType": 2}}
    assert archive.record(upsert(2, message=sealed, messageType="secretEncryptedMessage"))
    assert archive.get("M2") is None
    found = archive.get("M1")
    assert found is not None
    assert (found.edited_at, found.text) == (at(T0 + 2), "Olá, coração!")


def test_an_option_added_to_a_poll_is_not_its_new_question(archive: Archive) -> None:
    """``pollAddOptionMessage`` of WhatsApp's protobuf."""
    poll = {"pollCreationMessageV3": {"name": "Que dia?", "options": [{"optionName": "Sexta"}]}}
    archive.record(upsert(1, message=poll, messageType="pollCreationMessageV3"))
    key = {"id": "M1", "fromMe": True, "remoteJid": ANA}
    more = {"pollCreationMessageKey": key, "addOption": {"optionName": "Domingo"}}
    content = {"pollAddOptionMessage": more}
    archive.record(upsert(2, message=content, messageType="pollAddOptionMessage"))
    found = archive.get("M1")
    assert found is not None
    assert found.text == "Que dia?"
    assert found.edited_at is not None


@pytest.mark.parametrize("quoted", [
    {"viewOnceMessageV2": {"message": {"imageMessage": {"caption": "só uma vez"}}}},
    {"imageMessage": {"caption": "só uma vez", "viewOnce": True}},
])  # fmt: skip
def test_what_may_be_seen_only_once_is_not_kept_in_an_answer(
    archive: Archive, quoted: dict[str, Any]
) -> None:
    """``ContextInfo.quotedMessage`` of the protobuf holds the whole quoted message."""
    context = {"stanzaId": "Q1", "quotedMessage": quoted}
    content = {"extendedTextMessage": {"text": "bonita", "contextInfo": context}}
    archive.record(upsert(1, message=content, messageType="extendedTextMessage"))
    found = archive.get("M1")
    assert found is not None
    assert (found.text, found.quoted_id) == ("bonita", "Q1")
    assert "só uma vez" not in json.dumps(found.raw, ensure_ascii=False)

"""``evolution send``: text, file, key, and waiting for delivery."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from cli.command_kit import KEY, NUMBER, Answer, Evolution, Rhythm
from evolution_sdk.cli import send
from evolution_sdk.testing import FakeEvolution


@pytest.fixture(autouse=True)
def sales(fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.create_instance("sales")
    monkeypatch.setenv("EVOLUTION_INSTANCE", "sales")


def test_a_text_is_sent(fake: FakeEvolution, evolution: Evolution) -> None:
    told = evolution("send", NUMBER, "Olá")
    assert (told.code, told.err) == (0, "")
    (sent,) = fake.sent
    assert told.out.split() == [sent.key_id, "sent"]
    fake.assert_sent(NUMBER, text="Olá")


def test_a_text_comes_from_stdin(
    fake: FakeEvolution, evolution: Evolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("two\nlines\n"))
    assert evolution("send", NUMBER, "-").code == 0
    fake.assert_sent(NUMBER, text="two\nlines")


def test_a_file_is_sent(fake: FakeEvolution, evolution: Evolution, tmp_path: Path) -> None:
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF-1.4 invoice")
    told = evolution("send", NUMBER, "--file", "invoice.pdf", "--caption", "July", "--json")
    assert told.json()["state"] == "sent"
    (sent,) = fake.sent
    assert sent.body["fileName"] == "invoice.pdf"
    assert sent.body["caption"] == "July"


def test_a_key_is_sent_once(fake: FakeEvolution, evolution: Evolution) -> None:
    first = evolution("send", NUMBER, "Olá", "--key", "order-1", "--json").json()
    again = evolution("send", NUMBER, "Olá", "--key", "order-1", "--json").json()
    assert first == again == {"id": fake.sent[0].key_id, "state": "sent", "key": "order-1"}
    assert len(fake.sent) == 1
    other = evolution("send", NUMBER, "Another", "--key", "order-1")
    assert other.code == 2
    assert "another message already" in other.err
    assert len(fake.sent) == 1


def test_only_the_message_of_the_key_is_sent(fake: FakeEvolution, evolution: Evolution) -> None:
    from evolution_sdk import EvolutionClient
    from evolution_sdk.outbox import Outbox

    with EvolutionClient(fake.url, KEY, instance="sales") as client:
        outbox = Outbox("outbox.db", client=client)
        outbox.messages.send_text("5511999990009", "not yet", key="other")
        outbox.close()
    assert evolution("send", NUMBER, "Olá", "--key", "order-1").code == 0
    assert [each.text for each in fake.sent] == ["Olá"]


def test_a_paused_outbox_keeps_the_message(fake: FakeEvolution, evolution: Evolution) -> None:
    evolution("outbox", "migrate")
    evolution("outbox", "pause")
    rhythm = Rhythm()

    def run() -> int:
        arguments = [NUMBER, "Olá", "--key", "k", "--timeout", "3s"]
        return send.main(arguments, sleep=rhythm.sleep)

    told = evolution.run(run)
    assert (told.code, told.out) == (1, "")
    assert "outbox show" in told.err
    assert rhythm.naps == 3
    assert not fake.sent
    evolution("outbox", "resume")
    assert evolution("send", NUMBER, "Olá", "--key", "k").code == 0
    assert len(fake.sent) == 1


def test_a_refused_message_of_a_key_is_told(fake: FakeEvolution, evolution: Evolution) -> None:
    fake.not_on_whatsapp(NUMBER)
    told = evolution("send", NUMBER, "Olá", "--key", "k", "--json")
    assert told.code == 1
    assert told.json()["state"] == "failed"
    assert told.err.count("\n") == 1


def _waiting(
    fake: FakeEvolution, evolution: Evolution, monkeypatch: pytest.MonkeyPatch, *more: str
) -> Answer:
    """The phone gets it as soon as the command waits."""

    def sleep(_seconds: float) -> None:
        fake.deliver(fake.sent[-1].key_id, "DELIVERY_ACK")

    monkeypatch.setattr("evolution_sdk._sync.ports.sleep", sleep)
    return evolution("send", NUMBER, "Olá", "--wait", "delivered", *more)


@pytest.mark.parametrize("more", [[], ["--key", "k"]])
def test_it_waits_for_delivery(
    fake: FakeEvolution,
    evolution: Evolution,
    monkeypatch: pytest.MonkeyPatch,
    more: list[str],
) -> None:
    told = _waiting(fake, evolution, monkeypatch, *more)
    assert (told.code, told.err) == (0, "")
    assert told.out.split() == [fake.sent[0].key_id, "delivered"]


def test_what_is_not_delivered_in_time_was_sent_all_the_same(
    fake: FakeEvolution, evolution: Evolution
) -> None:
    told = evolution("send", NUMBER, "Olá", "--wait", "read", "--timeout", "0s", "--json")
    assert told.code == 1
    assert told.json() == {"id": fake.sent[0].key_id, "state": "sent"}
    assert "Do not send it again" in told.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([NUMBER], 2, "give a text, or --file"),
        ([NUMBER, "x", "--file", "y"], 2, "give a text, or --file"),
        ([NUMBER, "x", "--caption", "y"], 2, "--caption belongs to --file"),
        ([NUMBER, "x", "--store", "y"], 2, "--store belongs to --key"),
        ([NUMBER, "--file", "nope.pdf"], 2, "must be an existing file"),
        ([NUMBER, "x", "--instance", "nope"], 1, '"nope" instance does not exist'),
        ([NUMBER, "x", "--url", "http://127.0.0.1:9"], 3, "Could not connect"),
        ([NUMBER, "x", "--wait", "seen"], 2, "invalid choice: 'seen'"),
    ],
)
def test_what_is_wrong_is_one_line(
    evolution: Evolution, arguments: list[str], code: int, words: str
) -> None:
    told = evolution("send", *arguments)
    assert (told.code, told.out) == (code, "")
    assert words in told.err
    assert told.err.count("\n") == 1


def test_who_is_not_on_whatsapp_is_no(fake: FakeEvolution, evolution: Evolution) -> None:
    fake.not_on_whatsapp(NUMBER)
    assert evolution("send", NUMBER, "x").code == 1


def test_the_sender_has_to_be_named(evolution: Evolution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVOLUTION_INSTANCE")
    told = evolution("--lang", "pt", "send", NUMBER, "x")
    assert (told.code, "qual instância envia" in told.err) == (2, True)

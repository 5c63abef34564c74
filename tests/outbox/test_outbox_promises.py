"""The page's table of what is promised and what cannot be: equal texts past the outbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk._client.known_server import KnownServer
from evolution_sdk.outbox import Outbox, OutboxEndedError
from evolution_sdk.testing import FakeEvolution

NUMBER, TEXT = "5511999990001", "the same words"


def ends(
    folder: Path, version: str, *, went_out: bool, by_hand: bool, stored: bool = True
) -> tuple[str, int]:
    """Lose one answer, and tell how the row ends, and how many of ours the server has."""
    with FakeEvolution(version=version, api_key="key", store_messages=stored).serve() as fake:
        fake.create_instance("sales")
        # The server works on a lost call no longer than that.
        config = EvolutionConfig(fake.url, "key", instance="sales", timeout={"send_ms": 1_000})
        with (
            EvolutionClient(config=config) as client,
            Outbox(folder / "first.db", client=client) as outbox,
        ):
            outbox.messages.send_text("5511999990009", "hello", key="first")
            outbox.wait("first")
        # As after a restart: a client that has sent nothing yet.
        with EvolutionClient(config=config) as client:
            kind = "answer_then_drop" if went_out else "drop"
            fake.faults.add("message.send_text", kind, count=1)
            if by_hand:
                fake.receive_text("sales", from_=NUMBER, text=TEXT, from_me=True)
            with Outbox(folder / "first.db", client=client) as outbox:
                outbox.messages.send_text(NUMBER, TEXT, key="second")
                try:
                    state = outbox.wait("second", timeout_ms=60_000).state.value
                except OutboxEndedError as error:
                    state = error.state
        return state, sum(sent.text == TEXT for sent in fake.sent)


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4.0"])
def test_a_lost_answer_is_sent_once(version: str, tmp_path: Path) -> None:
    assert ends(tmp_path, version, went_out=True, by_hand=False) == ("sent", 1)


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4.0"])
def test_a_lost_request_is_sent_once(version: str, tmp_path: Path) -> None:
    assert ends(tmp_path, version, went_out=False, by_hand=False) == ("sent", 1)


@pytest.mark.parametrize("went_out", [True, False])
def test_without_a_store_it_is_unknown_and_never_sent_again(went_out: bool, tmp_path: Path) -> None:
    ended = ends(tmp_path, "2.3.7", went_out=went_out, by_hand=False, stored=False)
    assert ended == ("unknown", int(went_out))


def test_by_likeness_the_same_text_by_hand_may_be_taken_for_ours(tmp_path: Path) -> None:
    state, _ = ends(tmp_path, "2.3.7", went_out=False, by_hand=True)
    assert state in ("sent", "unknown")  # by the seconds of the server's clock


def test_by_id_the_same_text_by_hand_is_never_taken_for_ours(tmp_path: Path) -> None:
    """Also by a client that has sent nothing yet: the rows tell that this server takes ids."""
    assert ends(tmp_path, "2.4.0", went_out=True, by_hand=True) == ("sent", 1)
    other = tmp_path / "other"
    other.mkdir()
    assert ends(other, "2.4.0", went_out=False, by_hand=True) == ("unknown", 0)


def test_a_version_told_for_the_first_time_is_no_other_server() -> None:
    changes: list[str] = []
    known = KnownServer(None, lambda: 0.0, lambda: changes.append("changed"))
    known.told("2.4.0")
    assert changes == []
    known.told("2.3.7")
    assert changes == ["changed"]

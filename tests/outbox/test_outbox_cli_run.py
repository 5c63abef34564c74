"""``outbox run``: sends until a signal, tells each change, and ends as told."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, OutboxEvent, OutboxFact
from evolution_sdk.outbox.cli.narrator import Narrator
from evolution_sdk.testing import FakeEvolution
from outbox.cli_kit import KEY, environment, fill, started
from outbox.outbox_drill import place

PATIENCE_S = 60


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY, version="2.3.7", real_delays=True).serve() as served:
        served.create_instance("sales")
        yield served


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with place(request.param, tmp_path) as found:
        yield found


def hand_over(store: str, fake: FakeEvolution, count: int, **options: Any) -> None:
    with EvolutionClient(fake.url, KEY, instance="sales") as client:
        outbox = Outbox(store, client=client)
        outbox.migrate()
        for number in range(count):
            outbox.messages.send_text(f"55119999900{number:02}", "oi", key=f"k{number}", **options)
        outbox.close()


def lines(running: subprocess.Popen[str], many: int) -> list[str]:
    assert running.stdout is not None
    return [running.stdout.readline() for _ in range(many)]


def ended(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = running.communicate(timeout=PATIENCE_S)
    return running.returncode, out, err


def test_it_sends_and_tells_each_change_as_json(
    store: str, fake: FakeEvolution, tmp_path: Path
) -> None:
    hand_over(store, fake, 4)
    running = started(
        "run", "--json", "--workers", "2", url=fake.url, folder=tmp_path,
        EVOLUTION_OUTBOX_STORE=store,
    )  # fmt: skip
    told = [json.loads(line) for line in lines(running, 4)]
    running.send_signal(signal.SIGTERM)
    code, out, err = ended(running)
    assert (code, out) == (0, "")
    assert "another signal ends at once" in err
    assert {each["key"] for each in told} == {"k0", "k1", "k2", "k3"}
    for each in told:
        assert list(each) == ["at", "event", "key", "instance", "waited_ms", "reason"]
        assert (each["event"], each["instance"], each["reason"]) == ("sent", "sales", "")
        assert each["waited_ms"] >= 0
    assert len(fake.sent_to("5511999990000")) == 1
    for hidden in (KEY, "5511999990000", "oi"):
        assert hidden not in json.dumps(told) + err


def test_it_logs_one_line_per_change(fake: FakeEvolution, tmp_path: Path) -> None:
    store = str(tmp_path / "outbox.db")
    hand_over(store, fake, 2)
    running = started("run", "--store", store, url=fake.url, folder=tmp_path)
    assert running.stderr is not None
    seen = [running.stderr.readline() for _ in range(3)]
    running.send_signal(signal.SIGINT)
    code, out, _ = ended(running)
    assert (code, out) == (0, "")
    # The workers begin before it is said that they do.
    sent = [line for line in seen if "INFO    the outbox sends" not in line]
    assert len(sent) == 2
    assert {word for line in seen for word in line.split() if word.startswith("key=")} == {
        "key='k0'",
        "key='k1'",
    }
    assert all("INFO    sent key=" in line for line in sent)
    assert not any("55119999" in line for line in seen)


def test_the_first_signal_finishes_what_is_being_sent(fake: FakeEvolution, tmp_path: Path) -> None:
    store = str(tmp_path / "outbox.db")
    # The server holds its answer for that long: the signal comes in the middle of the call.
    hand_over(store, fake, 1, delay_ms=1_500)
    running = started("run", "--store", store, "--json", url=fake.url, folder=tmp_path)
    _until_sending(store, fake)
    running.send_signal(signal.SIGTERM)
    code, out, _ = ended(running)
    assert code == 0
    assert json.loads(out)["event"] == "sent"
    assert len(fake.sent_to("5511999990000")) == 1


def test_a_second_signal_ends_at_once_and_the_next_looks(
    fake: FakeEvolution, tmp_path: Path
) -> None:
    store = str(tmp_path / "outbox.db")
    hand_over(store, fake, 1, delay_ms=20_000)
    running = started("run", "--store", store, url=fake.url, folder=tmp_path)
    assert running.stderr is not None
    _until_sending(store, fake)
    running.send_signal(signal.SIGTERM)
    while "another signal" not in running.stderr.readline():
        pass
    running.send_signal(signal.SIGTERM)
    code, _, _ = ended(running)
    assert code == 130
    with EvolutionClient(fake.url, KEY, instance="sales") as client:
        outbox = Outbox(store, client=client)
        message = outbox.get("k0")
        assert message is not None
        assert message.state.value == "sending", "its worker is gone: it is looked for"
        outbox.close()


def _until_sending(store: str, fake: FakeEvolution) -> None:
    """Wait, on the store itself, until the call has begun."""
    with EvolutionClient(fake.url, KEY, instance="sales") as client:
        outbox = Outbox(store, client=client)
        pause = threading.Event()
        for _ in range(PATIENCE_S * 50):
            message = outbox.get("k0")
            if message is not None and message.state.value == "sending":
                break
            pause.wait(0.02)
        else:
            pytest.fail("it was never begun")
        outbox.close()


def test_tables_that_are_missing_are_told_at_once(fake: FakeEvolution, tmp_path: Path) -> None:
    with place("postgres", tmp_path) as store:
        running = started("run", "--store", store, url=fake.url, folder=tmp_path)
        code, out, err = ended(running)
    assert (code, out) == (3, "")
    assert "outbox migrate" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("program", [["-m", "evolution_sdk"]])
def test_the_program_lists_its_commands(program: list[str], tmp_path: Path) -> None:
    import sys

    done = subprocess.run(
        [sys.executable, *program, "--help"],
        env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0
    for command in ("fake-server", "monitor", "outbox"):
        assert f"\n  {command} " in done.stdout


def test_a_reader_that_goes_away_leaves_no_traceback(tmp_path: Path) -> None:
    import sys

    fill(str(tmp_path / "outbox.db"))
    reading = subprocess.Popen(
        [sys.executable, "-m", "evolution_sdk", "outbox", "list", "--json"],
        env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert reading.stdout is not None
    reading.stdout.close()
    assert reading.stderr is not None
    assert reading.stderr.read() == b""
    reading.stderr.close()
    assert reading.wait(PATIENCE_S) == 3


def fact(**changes: Any) -> OutboxFact:
    values: dict[str, Any] = {
        "key": "k", "instance": "sales", "operation": "message.send_text", "kind": "send",
        "result": "sent", "attempts": 1, "waited_ms": 1_200, "reason": "",
    }  # fmt: skip
    return OutboxFact(**{**values, **changes})


def test_a_pause_that_goes_on_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    narrator = Narrator(json=False, clock=lambda: now[0])
    caplog.set_level("INFO", "evolution_sdk.outbox")
    for at in (0, 10, 59, 61):
        now[0] = at
        narrator.paused(OutboxEvent("paused", None, "sales", "InstanceNotConnectedError"))
    narrator.paused(OutboxEvent("paused", None, "sales", "RateLimitError"))
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    narrator.fact(fact())
    narrator.fact(fact())
    assert [record.message for record in caplog.records[3:]] == [
        "goes on instance=sales",
        "sent key='k' instance=sales after 1 s",
        "sent key='k' instance=sales after 1 s",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"result": "failed", "waited_ms": None, "reason": "refused for good"},
         "failed key='k' instance=sales: refused for good"),
        ({"kind": "look", "result": "found"}, "sent, found by a look key='k' instance=sales"),
        ({"result": "lost", "waited_ms": None}, "no answer, to be looked for key='k'"),
        ({"kind": "look", "result": "unknown", "waited_ms": None}, "unknown key='k'"),
    ],
)  # fmt: skip
def test_each_change_has_its_words(
    caplog: pytest.LogCaptureFixture, changes: dict[str, Any], line: str
) -> None:
    caplog.set_level("INFO", "evolution_sdk.outbox")
    Narrator(json=False).fact(fact(**changes))
    (record,) = caplog.records
    assert record.message.startswith(line)


def test_what_was_only_held_back_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "evolution_sdk.outbox")
    Narrator(json=False).fact(fact(result="held", waited_ms=None))
    assert caplog.records == []

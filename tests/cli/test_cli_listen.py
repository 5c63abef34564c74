"""``evolution listen``: the webhook of an instance, borrowed and given back."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from event_kit import KEY, NUMBER, ended, isolate, point_at, run, started, upsert

from evolution_sdk import EvolutionClient
from evolution_sdk.cli.listen.lending import Former, Loan, LoanFile
from evolution_sdk.models.webhook import Webhook
from evolution_sdk.testing import FakeEvolution

THEIRS = "https://user:hush@hooks.example.com/evolution?token=hush"
SHOWN = "https://…@hooks.example.com/evolution?…"
FORMER = {
    "url": THEIRS,
    "events": ("MESSAGES_UPSERT",),
    "headers": {"jwt_key": "former-key-of-16-bytes", "x-team": "a"},
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY).serve() as served:
        served.create_instance("sales")
        yield served


@pytest.fixture
def client(fake: FakeEvolution) -> Iterator[EvolutionClient]:
    with EvolutionClient(fake.url, KEY, instance="sales") as made:
        yield made


def listening(fake: FakeEvolution, folder: Path, *words: str) -> subprocess.Popen[str]:
    """Begin to listen, and wait until the webhook is registered."""
    settings = {"EVOLUTION_API_URL": fake.url, "EVOLUTION_API_KEY": KEY}
    process = started("listen", "--instance", "sales", *words, folder=folder, **settings)
    assert process.stderr is not None
    told = ""
    while "should this be killed" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    process.told = told  # type: ignore[attr-defined]
    return process


def stored(client: EvolutionClient) -> Any:
    found = client.webhook.find()
    return None if found is None else Former.of(found)


def set_former(client: EvolutionClient) -> Any:
    client.webhook.set(**FORMER)  # type: ignore[arg-type]
    return stored(client)


def test_events_are_printed_and_the_former_webhook_comes_back(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    before = set_former(client)
    process = listening(fake, tmp_path, "--event", "messages.upsert", "--count", "2", "--json")
    assert f"former webhook: {SHOWN};" in process.told  # type: ignore[attr-defined]
    assert client.webhook.find().events == ("MESSAGES_UPSERT",)  # type: ignore[union-attr]
    for text in ("um", "dois"):
        fake.receive_text("sales", from_=NUMBER, text=text)
    answer = ended(process)
    assert answer.code == 0
    assert {each["text"] for each in answer.json} == {"um", "dois"}
    assert answer.err.splitlines()[-1] == f"put back: {SHOWN}"
    assert stored(client) == before
    assert "hush" not in answer.out + answer.err
    assert list((tmp_path / "state" / "evolution-sdk").iterdir()) == []


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_puts_it_back(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path, ends: signal.Signals
) -> None:
    before = set_former(client)
    process = listening(fake, tmp_path)
    process.send_signal(ends)
    assert ended(process).code == 0
    assert stored(client) == before


def test_where_none_was_set_none_is_left(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    process = listening(fake, tmp_path)
    assert "former webhook: none;" in process.told  # type: ignore[attr-defined]
    process.terminate()
    assert ended(process).code == 0
    left = client.webhook.find()
    assert left is not None
    assert (left.enabled, left.url, dict(left.headers or {})) == (False, "", {})


def test_after_a_kill_the_next_run_puts_it_back(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    before = set_former(client)
    killed = listening(fake, tmp_path)
    killed.kill()
    ended(killed)
    assert stored(client) != before
    (file,) = (tmp_path / "state" / "evolution-sdk").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    process = listening(fake, tmp_path)
    assert "an earlier run was killed" in process.told  # type: ignore[attr-defined]
    process.terminate()
    assert ended(process).code == 0
    assert stored(client) == before


def test_two_do_not_borrow_one_webhook(
    fake: FakeEvolution,
    client: EvolutionClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = set_former(client)
    first = listening(fake, tmp_path)
    point_at(monkeypatch, fake.url)
    answer = run(capsys, "listen", "--instance", "sales")
    assert answer.code == 2
    assert f"(process {first.pid})" in answer.one_error
    first.terminate()
    ended(first)
    assert stored(client) == before


def test_what_somebody_registers_meanwhile_stays(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    set_former(client)
    process = listening(fake, tmp_path)
    client.webhook.set("https://new.example.com/", events=["CALL"])
    process.terminate()
    answer = ended(process)
    assert (answer.code, "it stays" in answer.err) == (0, True)
    assert client.webhook.find().url == "https://new.example.com/"  # type: ignore[union-attr]


def test_a_server_that_is_gone_at_the_end_is_told(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    set_former(client)
    process = listening(fake, tmp_path)
    fake.faults.add("webhook.*", "status", status=500)
    process.terminate()
    answer = ended(process)
    assert answer.code == 3
    assert f"could not be put back (ServerError): {SHOWN}" in answer.err
    assert len(list((tmp_path / "state" / "evolution-sdk").iterdir())) == 1


def test_what_is_not_signed_is_refused(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    process = listening(fake, tmp_path)
    url = client.webhook.find().url  # type: ignore[union-attr]
    assert httpx.post(url, json=upsert(text="forged")).status_code == 412
    process.terminate()
    assert "forged" not in ended(process).out


def test_the_public_address_is_registered(
    fake: FakeEvolution, client: EvolutionClient, tmp_path: Path
) -> None:
    process = listening(fake, tmp_path, "--public-url", "https://tunnel.example.com/x")
    assert client.webhook.find().url == "https://tunnel.example.com/x"  # type: ignore[union-attr]
    assert "events come to https://tunnel.example.com/x, here http://127.0.0.1:" in (
        process.told  # type: ignore[attr-defined]
    )
    process.terminate()
    assert ended(process).code == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "Which instance?"),
        (["--instance", "nobody"], 1, "does not exist"),
        (["--instance", "sales", "--public-url", "x"], 2, "must be an http(s) URL"),
        (["--instance", "sales", "--secret-file", "none"], 2, "cannot be read"),
        (["--instance", "sales", "--url", "http://127.0.0.1:1"], 3, "Could not connect"),
    ],
)
def test_what_is_wrong_is_one_line(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, told: str,
) -> None:  # fmt: skip
    point_at(monkeypatch, fake.url)
    answer = run(capsys, "listen", *words)
    assert (answer.code, answer.out) == (code, "")
    assert told in answer.one_error


def test_a_taken_port_changes_nothing(
    fake: FakeEvolution,
    client: EvolutionClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = set_former(client)
    point_at(monkeypatch, fake.url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = run(capsys, "listen", "--instance", "sales", "--port", port)
    assert answer.code == 2
    assert "choose another --port" in answer.one_error
    assert stored(client) == before


def test_a_refused_registration_ends_it(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url)
    fake.faults.add("webhook.set_webhook", "status", status=400)
    answer = run(capsys, "listen", "--instance", "sales")
    assert answer.code == 3
    assert "HTTP 400" in answer.err
    assert "Traceback" not in answer.err


def test_a_damaged_file_of_loans_counts_as_none(tmp_path: Path) -> None:
    file = LoanFile(tmp_path, "http://127.0.0.1:8080", "sales")
    assert file.read() is None
    for text in ("", "[]", "{}", '{"former": 1}', "\0"):
        file.path.write_text(text, "utf-8")
        assert file.read() is None


def test_a_loan_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = LoanFile(tmp_path / "new", "http://127.0.0.1:8080", "sales")
    wire = {"url": THEIRS, "enabled": True, "events": ["CALL"], "headers": {"jwt_key": "hush"}}
    loan = Loan.taken("http://ours", Former.of(Webhook.model_validate(wire)))
    file.write(loan)
    assert file.read() == loan
    assert not loan.is_running  # this process may go on with its own
    assert "hush" not in repr(loan)
    assert json.loads(file.path.read_text("utf-8"))["version"] == 1
    file.forget()
    assert file.read() is None

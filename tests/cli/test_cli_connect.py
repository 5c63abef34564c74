"""``evolution connect``: QR code, file, pairing code, and why a phone is not linked."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.command_kit import KEY, NUMBER, Answer, Evolution, Rhythm
from evolution_sdk._cli.language import use
from evolution_sdk.cli import connect
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.fake import lifecycle


@pytest.fixture
def rhythm() -> Rhythm:
    return Rhythm()


@pytest.fixture
def run(fake: FakeEvolution, evolution: Evolution, rhythm: Rhythm) -> Any:
    def run(*arguments: str) -> Answer:
        return evolution.run(
            lambda: connect.main(arguments, clock=rhythm.clock, sleep=rhythm.sleep)
        )

    return run


def _next_code(fake: FakeEvolution, name: str) -> None:
    with fake._server.lock:
        lifecycle.refresh_qr(fake._server, fake.instances[name])


def _code(fake: FakeEvolution, name: str) -> str:
    qr = fake.instances[name].qr
    assert qr is not None
    assert qr.code is not None
    return qr.code


def test_a_missing_instance_is_made_and_linked(
    run: Any, fake: FakeEvolution, rhythm: Rhythm
) -> None:
    rhythm.at(2, lambda: fake.scan_qr("sales"))
    told = run("sales")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == "sales: created"
    assert lines[1].startswith("█" * 40)
    assert "Linked devices" in lines[-2]
    assert lines[-1] == "sales is linked, phone 5511*****0099"
    assert "\x1b" not in told.out  # no terminal
    assert KEY not in told.out


def test_each_new_code_is_shown_once(run: Any, fake: FakeEvolution, rhythm: Rhythm) -> None:
    rhythm.at(3, lambda: _next_code(fake, "sales"))
    rhythm.at(6, lambda: fake.scan_qr("sales"))
    assert run("sales").out.count("Linked devices") == 2


def test_a_file_instead_of_the_terminal(
    run: Any, fake: FakeEvolution, rhythm: Rhythm, tmp_path: Path
) -> None:
    pictures: list[bytes] = []

    def look() -> None:
        pictures.append((tmp_path / "qr.png").read_bytes())

    def change() -> None:
        look()
        _next_code(fake, "sales")

    rhythm.at(1, change)
    rhythm.at(2, look)
    rhythm.at(3, lambda: fake.scan_qr("sales"))
    told = run("sales", "--png", "qr.png")
    assert told.code == 0
    assert "█" not in told.out
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] != pictures[1]
    assert stat.S_IMODE((tmp_path / "qr.png").stat().st_mode) == 0o600
    assert run("sales", "--png", "qr.gif").code == 2


def test_a_pairing_code_is_shown_large(run: Any, fake: FakeEvolution, rhythm: Rhythm) -> None:
    seen: list[str] = []

    def scan() -> None:
        qr = fake.instances["sales"].qr
        assert qr is not None
        assert qr.pairing_code is not None
        seen.append(qr.pairing_code)
        fake.scan_qr("sales", owner=NUMBER)

    rhythm.at(2, scan)
    told = run("sales", "--pair", NUMBER, "--show-numbers")
    assert told.code == 0
    spaced = " ".join(f"{seen[0][:4]}-{seen[0][4:]}")
    assert f"  {spaced}\n" in told.out
    assert "██" in told.out
    assert NUMBER in told.out.splitlines()[-1]


def test_a_pairing_code_after_a_qr_code_does_not_come(run: Any, fake: FakeEvolution) -> None:
    assert run("sales", "--timeout", "3s").code == 1
    told = run("sales", "--pair", NUMBER)
    assert told.code == 1
    assert "connecting with a QR code already" in told.err


def test_an_open_instance_needs_nothing(run: Any, fake: FakeEvolution) -> None:
    fake.create_instance("sales")
    told = run("sales")
    assert told.code == 0
    assert told.out == "sales was linked already, phone 5511*****0099; nothing to do\n"
    use("pt")
    assert "já estava conectada" in run("sales").out


def test_nobody_scans(run: Any, rhythm: Rhythm) -> None:
    told = run("sales", "--timeout", "1m")
    assert told.code == 1
    assert "nobody used a code in time" in told.err
    assert told.err.count("\n") == 1
    assert rhythm.now == 1_060.0


def test_a_server_without_codes_gets_the_hint(run: Any, fake: FakeEvolution) -> None:
    fake.set_whatsapp_reachable(False)
    told = run("sales", "--timeout", "30s")
    assert told.code == 1
    assert told.out.count("CONFIG_SESSION_PHONE_VERSION") == 1
    assert "no code came in time" in told.err
    assert "CONFIG_SESSION_PHONE_VERSION" in run("sales", "--timeout", "3s").err


def test_a_server_that_has_given_up_is_told(run: Any, fake: FakeEvolution, rhythm: Rhythm) -> None:
    rhythm.at(3, lambda: fake.set_state("sales", "close"))
    told = run("sales")
    assert told.code == 1
    assert "QRCODE_LIMIT" in told.err
    assert rhythm.naps == 4


def test_a_short_close_after_the_scan_is_no_end(
    run: Any, fake: FakeEvolution, rhythm: Rhythm
) -> None:
    rhythm.at(3, lambda: fake.set_state("sales", "close"))
    rhythm.at(4, lambda: fake.scan_qr("sales"))
    assert run("sales").code == 0


def test_other_channels_have_no_codes(run: Any, fake: FakeEvolution) -> None:
    fake.create_instance("local", integration="EVOLUTION")
    fake.log_out("local")
    told = run("local")
    assert told.code == 1
    assert "only WHATSAPP-BAILEYS" in told.err


def test_a_server_that_fails_meanwhile_is_waited_for(
    run: Any, fake: FakeEvolution, rhythm: Rhythm
) -> None:
    rhythm.at(
        2, lambda: fake.faults.add("instance.*", "status", status=502, body="Bad Gateway", count=4)
    )
    rhythm.at(8, lambda: fake.scan_qr("sales"))
    told = run("sales")
    assert told.code == 0
    assert told.out.count("still waiting") == 1


def test_json_tells_everything_but_the_code(run: Any, fake: FakeEvolution, rhythm: Rhythm) -> None:
    codes: list[str] = []

    def scan() -> None:
        codes.append(_code(fake, "sales"))
        fake.scan_qr("sales")

    rhythm.at(2, scan)
    told = run("sales", "--json")
    assert [each["event"] for each in told.lines()] == [
        "created",
        "state",
        "code",
        "state",
        "state",
        "ended",
    ]
    assert told.lines()[-1] == {
        "event": "ended",
        "instance": "sales",
        "reason": "open",
        "phone": "5511*****0099",
    }
    assert codes[0] not in told.out


def test_json_tells_the_code_when_asked(run: Any, fake: FakeEvolution) -> None:
    told = run("sales", "--json", "--show-code", "--timeout", "3s")
    (shown,) = (each for each in told.lines() if each["event"] == "code")
    assert shown["code"] == _code(fake, "sales")
    assert told.lines()[-1]["reason"] == "timeout"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "which instance? Name it"),
        (["sales", "--url", "http://127.0.0.1:9"], 3, "Could not connect"),
        (["sales", "--url", "nonsense"], 2, "must begin with http://"),
        (["bad name"], 2, "name: must be letters"),
        (["sales", "--png", "a.png", "--pair", "55"], 2, "not allowed with argument"),
    ],
)
def test_what_is_wrong_is_one_line(run: Any, arguments: list[str], code: int, words: str) -> None:
    told = run(*arguments)
    assert (told.code, told.out) == (code, "")
    assert words in told.err
    assert told.err.count("\n") == 1


def test_a_wrong_key_is_one_line(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLUTION_API_KEY", "wrong")
    told = run("sales")
    assert (told.code, told.out) == (2, "")
    assert "EVOLUTION_API_KEY" in told.err


def test_a_server_without_licence_is_one_line(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeEvolution(api_key=KEY, version="2.4.0-rc2", licensed=False).serve() as locked:
        told = run("sales", "--url", locked.url)
    assert (told.code, told.out) == (3, "")
    assert "not activated" in told.err


def test_without_segno_it_says_so_at_once(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "segno"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(connect, "find_spec", lambda _name: None)
    told = run("sales")
    assert (told.code, told.out) == (2, "")
    assert "pip install 'evolutionapi-sdk[cli]'" in told.err
    assert run("sales", "--pair", NUMBER, "--timeout", "3s").code == 1


def test_a_terminal_is_drawn_over(
    run: Any, fake: FakeEvolution, rhythm: Rhythm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "may_colour", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "50")
    rhythm.at(2, lambda: _next_code(fake, "sales"))
    rhythm.at(4, lambda: fake.scan_qr("sales"))
    told = run("sales")
    lines = told.out.partition("\n")[2].splitlines()
    drawn = next(place for place, line in enumerate(lines) if "Linked devices" in line) + 1
    assert f"\x1b[{drawn}F\x1b[J" in told.out
    monkeypatch.setenv("LINES", "24")
    small = run("support", "--timeout", "3s")
    assert "The window is too small" in small.out
    assert "F\x1b[J" not in small.out

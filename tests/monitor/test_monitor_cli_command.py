"""``python -m evolution_sdk monitor``: JSON, exit codes, every option, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from monitor_kit import INTERNAL, KEY

from evolution_sdk.__main__ import main as program
from evolution_sdk.monitor.cli import main
from evolution_sdk.testing import FakeEvolution

SRC = Path(__file__).parents[2] / "src"


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY).serve() as served:
        served.create_instance("sales")
        served.create_instance("support")
        yield served


@pytest.fixture
def environ(fake: FakeEvolution, tmp_path: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")}
    return {
        **kept,
        "PYTHONPATH": str(SRC),
        "EVOLUTION_API_URL": fake.url,
        "EVOLUTION_API_KEY": KEY,
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture
def here(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same environment for commands run in this process."""
    for name in [name for name in os.environ if name.startswith("EVOLUTION_")]:
        monkeypatch.delenv(name)
    for name in ("EVOLUTION_API_URL", "EVOLUTION_API_KEY"):
        monkeypatch.setenv(name, environ[name])
    monkeypatch.chdir(tmp_path)


def run(environ: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evolution_sdk", "monitor", *arguments]
    return subprocess.run(
        command, env=environ, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=60
    )


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_healthy_server_exits_with_0(environ: dict[str, str], tmp_path: Path) -> None:
    done = run(environ, tmp_path, "--once", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["status"], shown["exit_code"], shown["reasons"]) == ("healthy", 0, [])
    assert shown["url"] == environ["EVOLUTION_API_URL"]
    assert {name: each["state"] for name, each in shown["instances"].items()} == {
        "sales": "open",
        "support": "open",
    }
    assert shown["details"]["server_version"] == "2.3.7"
    assert shown["sample"]["reachable"] is True
    assert KEY not in done.stdout


def test_a_degraded_server_exits_with_1(
    environ: dict[str, str], tmp_path: Path, fake: FakeEvolution
) -> None:
    fake.set_state("sales", "close")
    done = run(environ, tmp_path, "--once", "--json")
    shown = json.loads(done.stdout)
    assert (shown["status"], done.returncode) == ("degraded", 1)
    assert "sales" in shown["reasons"][0]


def test_an_unreachable_server_exits_with_2(environ: dict[str, str], tmp_path: Path) -> None:
    environ["EVOLUTION_API_URL"] = "http://127.0.0.1:9"
    done = run(environ, tmp_path, "--once", "--json")
    shown = json.loads(done.stdout)
    assert (shown["status"], shown["exit_code"], done.returncode) == ("unhealthy", 2, 2)
    assert shown["alerts"][0]["rule"] == "unhealthy"


def test_an_instance_that_cannot_be_judged_exits_with_3(
    environ: dict[str, str], tmp_path: Path, fake: FakeEvolution
) -> None:
    fake.faults.add("instance.connection_state", "status", status=500, body=INTERNAL)
    done = run(environ, tmp_path, "--once", "--json", "--instance", "sales")
    assert (json.loads(done.stdout)["status"], done.returncode) == ("unknown", 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--api-key", "wrong"], "EVOLUTION_API_KEY"),
        (["--interval-ms", "0"], "interval_ms must be milliseconds, a whole number of 1 or more"),
        (["--interval-ms", "soon"], "invalid float value"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--url", "nonsense"], "EVOLUTION_API_URL"),
    ],
)
def test_what_cannot_be_told_exits_with_3(
    here: None, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["--once", "--json", *arguments])
    except SystemExit as ended:  # of argparse
        code = ended.code
    out, err = capsys.readouterr()
    assert (code, out) == (3, "")
    assert words in err
    assert "Traceback" not in err


def test_the_program_knows_the_command(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert program(["monitor", "--once", "--json"]) == 0
    assert told(capsys)[0]["status"] == "healthy"


def test_the_view_is_printed_once(environ: dict[str, str], tmp_path: Path) -> None:
    done = run(environ, tmp_path, "--once")
    assert done.returncode == 0
    for words in ("HEALTHY", "sales", "support", "latency", "no alerts"):
        assert words in done.stdout


def test_url_and_key_may_be_given(
    here: None,
    fake: FakeEvolution,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("EVOLUTION_API_URL")
    monkeypatch.delenv("EVOLUTION_API_KEY")
    assert main(["--once", "--json", "--url", fake.url, "--api-key", KEY]) == 0
    assert told(capsys)[0]["url"] == fake.url


@pytest.mark.parametrize(
    ("arguments", "setting", "watched"),
    [
        (["--instance", "support"], "", ["support"]),
        (["--instance", "support", "--instance", "sales"], "", ["sales", "support"]),
        (["--instance", "*"], "sales", ["sales", "support"]),
        ([], "sales", ["sales"]),
        ([], "", ["sales", "support"]),
    ],
)
def test_instances_are_those_given_or_set_or_all(
    here: None,
    arguments: list[str],
    setting: str,
    watched: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EVOLUTION_INSTANCE", setting)
    main(["--once", "--json", *arguments])
    assert sorted(told(capsys)[0]["instances"]) == watched


class Rhythm:
    """A clock that sleeping moves; after some naps somebody presses Ctrl-C."""

    def __init__(self, naps: int) -> None:
        self.now = 1_000.0
        self.left = naps
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("arguments", "seconds"), [([], 5.0), (["--interval-ms", "250"], 0.25)])
def test_it_goes_on_in_its_rhythm_until_interrupted(
    here: None, arguments: list[str], seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    rhythm = Rhythm(3)
    code = main(["--json", *arguments], clock=rhythm.clock, sleep=rhythm.sleep)
    assert code == 0
    assert rhythm.naps == [seconds] * 4
    assert [each["status"] for each in told(capsys)] == ["healthy"] * 4


def test_interrupted_it_exits_by_the_last_health(
    here: None, fake: FakeEvolution, capsys: pytest.CaptureFixture[str]
) -> None:
    rhythm = Rhythm(1)

    def sleep(seconds: float) -> None:
        fake.set_state("sales", "close")
        rhythm.sleep(seconds)

    assert main(["--json", "--instance", "sales"], clock=rhythm.clock, sleep=sleep) == 2
    assert [each["status"] for each in told(capsys)] == ["healthy", "unhealthy"]


def test_the_live_view_draws_every_check(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    rhythm = Rhythm(2)
    assert main([], clock=rhythm.clock, sleep=rhythm.sleep) == 0
    assert "HEALTHY" in capsys.readouterr().out
    assert len(rhythm.naps) == 3


def test_history_lives_over_restarts(
    here: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.db"
    for _ in range(3):
        assert main(["--once", "--history-path", str(path)]) == 0
    bars = [line for line in capsys.readouterr().out.splitlines() if "messages" in line]
    assert [line.count("▁") for line in bars] == [1, 2, 3]


def test_watching_works_where_monitoring_is_switched_off(
    here: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVOLUTION_MONITORING_ENABLED", "false")
    assert main(["--once", "--json"]) == 0


def test_it_sends_no_alerts_and_restarts_nothing(
    here: None, fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is for the service that runs the business: a viewer only looks."""
    monkeypatch.setenv("EVOLUTION_MONITORING_ALERT_NUMBER", "5511987654321")
    monkeypatch.setenv("EVOLUTION_MONITORING_ALERT_INSTANCE", "support")
    monkeypatch.setenv("EVOLUTION_MONITORING_RECOVERY", "true")
    fake.set_state("sales", "close")
    rhythm = Rhythm(5)
    assert main(["--json", "--instance", "sales"], clock=rhythm.clock, sleep=rhythm.sleep) == 2
    assert not fake.sent


def test_without_rich_json_works_and_the_view_names_the_extra(
    here: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.setitem(sys.modules, module, None)
    for module in ("rich", "rich.console", "rich.live"):
        monkeypatch.setitem(sys.modules, module, None)
    assert main(["--once", "--json"]) == 0
    assert main(["--once"]) == 3
    assert "pip install 'evolutionapi-sdk[cli]'" in capsys.readouterr().err


def test_ctrl_c_ends_the_process_cleanly(environ: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evolution_sdk", "monitor", "--json"]
    with subprocess.Popen(
        command,
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["status"] == "healthy"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_a_reader_that_has_gone_is_no_error(environ: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evolution_sdk", "monitor", "--json", "--interval-ms", "20"]
    with subprocess.Popen(
        command,
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(30) == 3

"""The console over real sockets, mounted in frameworks, and as a command."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from console_kit import TOKEN
from monitor_kit import KEY, World

from evolution_sdk._cli.language import use
from evolution_sdk.cli.console import main
from evolution_sdk.events import EventRouter
from evolution_sdk.monitor import EvolutionConsole
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver

uvicorn = pytest.importorskip("uvicorn")


class Served:
    """An app on a port of its own, until the test is over."""

    def __init__(self, app: Any) -> None:
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
        self._ready = threading.Event()
        start = self.server.startup

        async def started(sockets: Any = None) -> None:
            await start(sockets=sockets)
            self._ready.set()

        self.server.startup = started
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        assert self._ready.wait(20)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self._thread.join(20)


def get(url: str) -> Any:
    asked = urllib.request.Request(url, headers={"authorization": f"Bearer {TOKEN}"})
    return urllib.request.urlopen(asked, timeout=20)


def read_event(stream: Any) -> tuple[str, Any]:
    """Read the next event of a stream, past its comments."""
    fields: dict[str, str] = {}
    while "data" not in fields:
        line = stream.readline().decode().rstrip("\n")
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields["event"], json.loads(fields["data"])


def mounted_in_starlette(console: EvolutionConsole) -> tuple[Any, str]:
    applications = pytest.importorskip("starlette.applications")
    from starlette.routing import Mount

    return applications.Starlette(routes=[Mount("/ops", app=console)]), "/ops"


def mounted_in_fastapi(console: EvolutionConsole) -> tuple[Any, str]:
    app = pytest.importorskip("fastapi").FastAPI()
    app.mount("/deep/ops", console)
    return app, "/deep/ops"


def alone(console: EvolutionConsole) -> tuple[Any, str]:
    return console, ""


@pytest.mark.parametrize("mounted", [alone, mounted_in_starlette, mounted_in_fastapi])
def test_a_browser_is_told_of_a_fall_without_asking(
    mounted: Callable[[EvolutionConsole], tuple[Any, str]],
) -> None:
    world = World()
    world.monitor.check_health_sync()
    app, prefix = mounted(EvolutionConsole(world.monitor, token=TOKEN))
    with Served(app) as url:
        assert get(f"{url}{prefix}").url.rstrip("/") == f"{url}{prefix}"
        with get(f"{url}{prefix}/api/stream") as stream:
            name, state = read_event(stream)
            assert (name, state["health"]["status"]) == ("state", "healthy")
            world.fake.log_out("sales")
            world.time.advance(5_000)
            world.monitor.check_health_sync()
            name, changes = read_event(stream)
            assert name == "changes"
            assert changes["instances"]["sales"]["state"] == "close"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.create_instance("sales")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("EVOLUTION_API_URL", fake.url)
        monkeypatch.setenv("EVOLUTION_API_KEY", KEY)
        monkeypatch.delenv("EVOLUTION_CONSOLE_TOKEN", raising=False)
        yield tmp_path
    use("en")


def served(argv: list[str], look: Callable[[Any], None] = lambda app: None) -> int:
    """Run the command without a server."""

    def stand_in(app: Any, host: str, port: int, *, ready: Callable[[str], None]) -> None:
        ready(f"http://{host}:{port}")
        look(app)

    return main(argv, serve=stand_in)


def test_the_command_makes_a_token_and_prints_it_once(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert served([]) == 0
    first = capsys.readouterr()
    assert "http://127.0.0.1:8099/#token=" in first.out
    assert first.err == ""
    assert served(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["url"] == "http://127.0.0.1:8099/"
    assert len(told["token"]) >= 32
    assert told["token"] not in first.out


@pytest.mark.parametrize("by", ["file", "setting"])
def test_a_token_of_ones_own_is_not_printed(
    by: str, settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    argv: list[str] = []
    if by == "file":
        (settings / "token").write_text(f"{TOKEN}\n")
        argv = ["--token-file", "token"]
    else:
        monkeypatch.setenv("EVOLUTION_CONSOLE_TOKEN", TOKEN)
    assert served(argv) == 0
    assert TOKEN not in capsys.readouterr().out


def test_the_setting_decides_who_comes_in(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bool] = []
    for token in (TOKEN, "another-token-of-24-chars"):
        monkeypatch.setenv("EVOLUTION_CONSOLE_TOKEN", token)
        served([], lambda app: found.append(app._access.opens(TOKEN, "")))
    assert found == [True, False]


def test_an_open_address_is_warned_of_in_the_readers_language(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use("pt")
    assert served(["--host", "0.0.0.0"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("O painel está em")
    assert "TLS" in told.err


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["--token-file", "missing"], 2, "--token-file"),
        (["--inbox", "missing.db"], 2, "--inbox"),
        (["--outbox", "no/such/folder/outbox.db"], 0, ""),
    ],
)
def test_what_is_wrong_is_one_line(
    argv: list[str], code: int, words: str, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert served(argv) == code
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") <= 1


def test_the_inbox_of_another_process_is_only_looked_at(settings: Path) -> None:
    receiver = WebhookReceiver(EventRouter(), inbox="inbox.db")
    receiver.start()
    looked: list[Any] = []

    def look(app: Any) -> None:
        inbox = app._figures._receiver
        looked.append((inbox.metrics().dead, inbox.dead_letters(5)))
        with pytest.raises(Exception, match="Only the process of the receiver"):
            inbox.replay()

    assert served(["--inbox", "inbox.db"], look) == 0
    assert looked == [(0, [])]
    receiver.close()

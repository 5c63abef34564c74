"""The command, the pytest plugin, and what is imported when."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest

from evolution_sdk import EvolutionClient, testing
from evolution_sdk.__main__ import main
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.testing import FakeEvolution, cli


def test_command_describes_a_fake() -> None:
    arguments = cli.parser().parse_args(
        ["--port", "0", "--api-key", "k", "--seed", "7", "--real-delays",
         "--instance", "sales", "--instance", "evo:EVOLUTION"]
    )  # fmt: skip
    fake = cli.build(arguments)
    assert fake.api_key == "k"
    assert {name: row.integration for name, row in fake.instances.items()} == {
        "sales": "WHATSAPP-BAILEYS",
        "evo": "EVOLUTION",
    }
    again = cli.build(arguments)
    assert again.instances["sales"].id == fake.instances["sales"].id
    assert fake.asgi.real_delays is True


def test_command_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        FakeEvolution,
        "serve_forever",
        lambda self, host, port, ready: seen.append((self, host, port)),
    )
    assert cli.main(["--port", "81", "--host", "0.0.0.0", "--api-key", "k"]) == 0
    assert seen[0][1:] == ("0.0.0.0", 81)


def test_command_tells_of_messages_and_not_of_their_texts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def serve(fake: FakeEvolution, host: str, port: int, ready: Any) -> None:
        fake.receive_text("sales", from_="5511999999999", text="a secret")
        with EvolutionClient(fake.url, "k", instance="sales", http_client=fake.http_client()) as it:
            it.messages.send_text("5511999999999", "another secret")

    monkeypatch.setattr(FakeEvolution, "serve_forever", serve)
    options = ["--api-key", "k", "--instance", "sales"]
    assert cli.main(options) == 0
    assert capsys.readouterr().out.splitlines() == [
        "sales ← 5511999999999@s.whatsapp.net: conversation",
        "sales → 5511999999999@s.whatsapp.net: conversation",
    ]
    assert cli.main([*options, "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_command_refuses_wrong_instances() -> None:
    arguments = cli.parser().parse_args(["--api-key", "k", "--instance", "x:TELEGRAM"])
    with pytest.raises(ConfigurationError, match="--instance x:TELEGRAM"):
        cli.build(arguments)


def test_missing_extra_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    fake = FakeEvolution()
    explained = pytest.raises(
        ConfigurationError, match=r"pip install 'evolutionapi-sdk\[testing\]'"
    )
    with explained, fake.serve():
        pass
    assert fake.http_client().get("/").status_code == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "pip install 'evolutionapi-sdk[testing]'"),
        (["--instance", "x:TELEGRAM"], "--instance x:TELEGRAM"),
    ],
)
def test_command_says_in_one_line_why_it_cannot_run(
    options: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["fake-server", "--port", "0", "--api-key", "k", *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("python -m evolution_sdk fake-server: ")
    assert words in told.err
    assert told.err.count("\n") == 1


def test_fixtures_are_fresh(fake_evolution: FakeEvolution) -> None:
    assert fake_evolution.instances == {}
    assert fake_evolution.http_client().get("/").json()["version"] == "2.3.7"


def test_served_fixture(fake_evolution_server: FakeEvolution) -> None:
    assert httpx.get(fake_evolution_server.url + "/").status_code == 200


def test_the_plugin_imports_nothing_of_the_fake() -> None:
    code = (
        "import sys, socket, ipaddress, evolution_sdk; before = set(sys.modules); "
        "import evolution_sdk.testing.pytest_plugin; "
        "print(sorted(n for n in set(sys.modules) - before if 'pytest' not in n.lower()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import pytest; " + code], capture_output=True, text=True, check=True
    )
    ours = ["evolution_sdk._base.network", "evolution_sdk.testing"]
    assert done.stdout.strip() == str(ours)


def test_every_public_name_is_there() -> None:
    for name in testing.__all__:
        assert getattr(testing, name).__module__.startswith("evolution_sdk.testing.")
    assert dir(testing) == testing.__all__
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = testing.nope

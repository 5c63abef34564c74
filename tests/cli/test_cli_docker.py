"""``evolution docker``: a server that can be started, and settings that this SDK reads."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from evolution_sdk import EvolutionConfig
from evolution_sdk.__main__ import main
from evolution_sdk.cli.docker import SERVER_VERSION

DATA = Path(__file__).parents[1] / "data/server"


def made(folder: Path, *options: str) -> tuple[dict[str, Any], dict[str, str]]:
    assert main(["docker", str(folder), *options]) == 0
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    lines = (folder / ".env").read_text("utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return compose, dict(pairs)


def test_every_variable_is_one_that_the_server_reads(tmp_path: Path) -> None:
    compose, _ = made(tmp_path)
    known = set((DATA / f"variables-{SERVER_VERSION}.txt").read_text("utf-8").split("\n"))
    assert set(compose["services"]["api"]["environment"]) <= known
    assert compose["services"]["api"]["image"].endswith(f":v{SERVER_VERSION}")


def test_every_placeholder_is_in_the_settings(tmp_path: Path) -> None:
    compose, settings = made(tmp_path, "--port", "9001")
    asked = set(re.findall(r"\$\{(\w+)\}", json.dumps(compose)))
    assert asked == {"SERVER_HOST_PORT", "EVOLUTION_API_KEY", "POSTGRES_PASSWORD"}
    assert asked <= settings.keys()
    assert settings["SERVER_HOST_PORT"] == "9001"
    for service in compose["services"].values():
        assert service["healthcheck"]["test"][0] == "CMD-SHELL"
        assert {volume.split(":")[0] for volume in service["volumes"]} <= compose["volumes"].keys()
    assert set(compose["services"]["api"]["depends_on"]) == {"postgres", "redis"}


def test_the_sdk_reads_the_same_settings(tmp_path: Path) -> None:
    _, settings = made(tmp_path, "--port", "9001", "--instance", "vendas sul")
    config = EvolutionConfig.from_env(tmp_path / ".env", environ={})
    assert config.base_url == "http://localhost:9001"
    assert config.api_key.get_secret_value() == settings["EVOLUTION_API_KEY"]
    assert config.instance == "vendas sul"


def test_keys_are_fresh_and_for_their_owner_alone(tmp_path: Path) -> None:
    _, one = made(tmp_path / "one")
    _, other = made(tmp_path / "other")
    for name in ("EVOLUTION_API_KEY", "POSTGRES_PASSWORD"):
        assert len(one[name]) == 48
        assert one[name] != other[name]
    assert stat.S_IMODE((tmp_path / "one/.env").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["compose.yaml", ".env"])
def test_what_is_there_stays(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text("mine", "utf-8")
    assert main(["docker", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"written": [], "there": [name]}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text("utf-8") == "mine"


def test_it_speaks_portuguese_and_shows_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "pt", "docker", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "A seguir: docker compose up -d" in shown
    text = (tmp_path / ".env").read_text("utf-8")
    assert "Guarde só para você" in text
    key = re.findall(r"EVOLUTION_API_KEY=(\w+)", text)[0]
    assert key not in shown
    compose = yaml.safe_load((tmp_path / "compose.yaml").read_text("utf-8"))
    assert compose["services"]["api"]["environment"]["LANGUAGE"] == "pt-BR"


@pytest.mark.parametrize("port", ["0", "70000", "http", "²"])
def test_a_wrong_port_is_one_line(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["docker", "--port", port])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1

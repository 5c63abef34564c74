"""``evolution grafana export``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evolution_sdk.__main__ import main
from evolution_sdk.monitor.grafana import FILES, grafana_files


def test_it_writes_what_this_version_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grafana", "export", str(tmp_path / "new")]) == 0
    for name, text in grafana_files().items():
        assert (tmp_path / "new" / name).read_text("utf-8") == text
    assert all(name in (shown := capsys.readouterr().out) for name in FILES[:1]), shown
    assert main(["grafana", "export", str(tmp_path), "--instance-label", "instance", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {"written": [str(tmp_path / name) for name in FILES]}
    assert "exported_instance" not in (tmp_path / FILES[1]).read_text("utf-8")


def test_a_file_that_is_there_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FILES[2]).write_text("mine", "utf-8")
    assert main(["--lang", "pt", "grafana", "export", str(tmp_path)]) == 1
    assert f"{FILES[2]}: já existe" in capsys.readouterr().out
    assert not (tmp_path / FILES[0]).exists()
    assert main(["grafana", "export", str(tmp_path), "--force"]) == 0
    assert (tmp_path / FILES[2]).read_text("utf-8") != "mine"


def test_a_wrong_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["grafana", "export", "--instance-label", "other"])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1

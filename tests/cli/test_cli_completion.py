"""``evolution completion``: scripts that real shells understand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_kit import Evolution
from evolution_sdk.cli.commands import COMMANDS, Command
from evolution_sdk.cli.completing import commands_of

CASES = [
    ("con", ["connect", "console"]),
    ("--l", ["--lang"]),
    ("--lang pt con", ["connect", "console"]),
    ("--lang ", ["en", "pt"]),
    ("outbox re", ["retry", "resolve", "resume"]),
    ("outbox list --st", ["--store", "--state"]),
    ("outbox list --state q", ["queued"]),
    ("send 55 --wait d", ["delivered"]),
    ("send 55 --js", ["--json"]),
    ("completion ", ["bash", "zsh", "fish"]),
    ("send --file inv", ["invoice.pdf"]),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "invoice.pdf").touch()
    return tmp_path


def _script(shell: str, folder: Path, evolution: Evolution) -> Path:
    told = evolution("completion", shell)
    assert (told.code, told.err) == (0, "")
    path = folder / f"script.{shell}"
    path.write_text(told.out, "utf-8")
    return path


def _run(command: list[str], folder: Path) -> list[str]:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_bash_completes(line: str, expected: list[str], folder: Path, evolution: Evolution) -> None:
    path = _script("bash", folder, evolution)
    words = " ".join(f"'{word}'" for word in line.split(" "))
    code = (
        f"source {path}; COMP_WORDS=(evolution {words}); "
        'COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _evolution; echo "${COMPREPLY[@]}"'
    )
    assert sorted(_run(["bash", "-c", code], folder)) == sorted(expected)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_fish_completes(line: str, expected: list[str], folder: Path, evolution: Evolution) -> None:
    path = _script("fish", folder, evolution)
    code = f"source {path}; complete -C 'evolution {line}' | cut -f1"
    assert sorted(_run(["fish", "--no-config", "-c", code], folder)) == sorted(expected)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_understands_the_script(folder: Path, evolution: Evolution) -> None:
    _run(["zsh", "-n", str(_script("zsh", folder, evolution))], folder)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_option_is_there(shell: str, evolution: Evolution) -> None:
    script = evolution("completion", shell).out
    for level in commands_of(COMMANDS).walk():
        if level.path:
            assert level.path[-1] in script
        for option in level.options:
            assert option.flags[-1].lstrip("-") in script


def test_help_is_in_the_language_asked_for(evolution: Evolution) -> None:
    assert "envia um texto ou um arquivo" in evolution("--lang", "pt", "completion", "fish").out


def test_a_command_without_parser_is_completed_by_name() -> None:
    table = {"odd": Command("_version", "odd", "estranho"), "none": Command("nix.nix", "x", "y")}
    assert [(each.path, each.words) for each in commands_of(table).below] == [
        (("odd",), ()),
        (("none",), ()),
    ]


def test_the_program_completes_itself_in_a_process(folder: Path) -> None:
    done = _run([sys.executable, "-m", "evolution_sdk", "completion", "bash"], folder)
    assert "_evolution()" in done

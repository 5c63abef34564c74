"""``evolution new``: what it writes works at once."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from event_kit import SRC, isolate, run

from effort import combined
from evolution_sdk.cli.new import KINDS
from evolution_sdk.testing import FakeEvolution

PROGRAMS = {"bot": "bot.py", "billing": "billing.py", "fastapi": "app.py", "django": "manage.py"}
PYTEST = ["-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-W", "error"]
# As in the tests of the pages: pytest-asyncio warns while its scope is unset.
SCOPE = ["-o", "asyncio_default_fixture_loop_scope=function"]

CACHE = Path(__file__).parents[2] / ".mypy_cache"

# Each runs a suite of its own.
EVERYDAY = {("bot", "pt"), ("billing", "en"), ("fastapi", "pt"), ("django", "en")}

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


def python(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SRC), **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


def passes(folder: Path, *words: str, **environ: str) -> str:
    done = python(folder, *words, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("kind", "language"), combined(EVERYDAY, KINDS, ("en", "pt")))
def test_its_tests_pass_and_ruff_finds_nothing(
    kind: str, language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "new", kind, "--lang", language).code == 0
    folder = tmp_path / kind
    if find_spec("ruff") is not None:  # not in `make lowest`
        passes(folder, "-m", "ruff", "check", "--no-cache", ".")
        passes(folder, "-m", "ruff", "format", "--no-cache", "--check", ".")
    # Whoever has filled in .env runs the tests as well.
    (folder / ".env").write_text((folder / ".env.example").read_text("utf-8"), "utf-8")
    assert " passed" in passes(folder, *PYTEST, *SCOPE)


@pytest.mark.parametrize("kind", ["bot", "billing", "fastapi"])
def test_its_types_are_right(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mypy")
    run(capsys, "new", kind)
    # With what `make types` has read of this package, which is most of the time.
    passes(tmp_path / kind, "-m", "mypy", "--strict", "--cache-dir", str(CACHE), ".")


@every_kind
def test_nothing_is_left_to_fill_in(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "new", kind, "My shop")
    written = files_of(tmp_path / "My shop")
    assert {PROGRAMS[kind], ".env.example", ".gitignore", "README.md", "pyproject.toml"} <= set(
        written
    )
    assert not [place for place, text in written.items() if "{{" in text or ".tmpl" in place]
    assert tomllib.loads(written["pyproject.toml"])["project"]["name"] == "my-shop"
    assert ".env" in written[".gitignore"].splitlines()


@pytest.mark.parametrize("kind", ["fastapi", "django"])
def test_no_project_has_the_name_of_what_it_needs(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "new", kind)
    project = tomllib.loads((tmp_path / kind / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == f"my-{kind}"


def test_billing_sends_what_the_file_names_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "new", "billing", "--lang", "pt")
    folder = tmp_path / "billing"
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        server = {"URL": fake.url, "KEY": fake.api_key}
        settings = {f"EVOLUTION_API_{name}": value for name, value in server.items()}
        for _ in range(2):
            told = passes(
                folder, "billing.py", "invoices.csv", EVOLUTION_INSTANCE="sales", **settings
            )
            assert [line.split()[1] for line in told.splitlines()] == ["sent", "sent"]
        assert sorted(message.text or "" for message in fake.sent) == [
            "Ana, sua fatura 4711 no valor de R$ 120.00 venceu.",
            "Bruno, sua fatura 4712 no valor de R$ 80.50 venceu.",
        ]


def test_a_folder_that_is_not_empty_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "notes.txt").write_text("mine", "utf-8")
    answer = run(capsys, "new", "bot", "shop")
    assert (answer.code, answer.out) == (2, "")
    assert answer.one_error.endswith(
        "new: shop is not empty, and nothing was written; name another folder, or add what is "
        "missing with --force."
    )
    assert "shop não está vazia" in run(capsys, "new", "bot", "shop", "--lang", "pt").one_error
    assert files_of(tmp_path / "shop") == {"notes.txt": "mine"}


def test_force_adds_what_is_missing_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "new", "bot", "shop")
    made = files_of(tmp_path / "shop")
    (tmp_path / "shop" / "words.py").write_text("mine", "utf-8")
    (tmp_path / "shop" / "bot.py").unlink()
    answer = run(capsys, "new", "bot", "shop", "--force", "--json")
    (told,) = answer.json
    assert (answer.code, told["written"]) == (0, ["bot.py"])
    assert set(told["kept"]) == set(made) - {"bot.py"}
    assert files_of(tmp_path / "shop") == made | {"words.py": "mine"}


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bot").write_text("mine", "utf-8")
    answer = run(capsys, "new", "bot", "--force")
    assert (answer.code, answer.out) == (2, "")
    assert "bot is a file" in answer.one_error


@pytest.mark.parametrize("words", [["new"], ["new", "flask"]])
def test_a_kind_that_there_is_not(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.one_error


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "new", "django", "web/shop", "--json")
    (told,) = answer.json
    assert (answer.code, told["kind"], told["folder"], told["kept"]) == (
        0, "django", "web/shop", [],
    )  # fmt: skip
    assert told["written"] == list(files_of(tmp_path / "web" / "shop"))
    assert told["next"][0] == "cd web/shop"
    assert told["next"][-1] == "evolution outbox run"


@every_kind
def test_two_languages(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    english = run(capsys, "new", kind, "en").out
    portuguese = run(capsys, "new", kind, "pt", "--lang", "pt").out
    assert "next steps:" in english
    assert "próximos passos:" in portuguese
    ours, theirs = files_of(tmp_path / "en"), files_of(tmp_path / "pt")
    assert set(ours) == set(theirs)
    assert "## Try it" in ours["README.md"]
    assert "## Experimente" in theirs["README.md"]
    assert "Copie para .env" in theirs[".env.example"]


def test_the_help_is_in_two_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Make a small project" in run(capsys, "new", "--help").out
    assert "Cria um pequeno projeto" in run(capsys, "new", "--help", "--lang", "pt").out

"""What the documentation shows is true: every block runs, every command and link exists."""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import docs_pages
import pytest
from docs_pages import PAGES, ROOT

from evolution_sdk import EvolutionClient
from evolution_sdk.cli.commands import COMMANDS
from evolution_sdk.config import variable_paths
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.cli import build, parser

KEY = "my-key"
MOST_SLEEPS = 50
FILES = {
    "invoice.pdf": b"%PDF-1.4 invoice",
    "photo.jpg": b"\xff\xd8\xff\xe0" + b"photo",
    "voice.ogg": b"OggS" + b"voice",
    "evolution.env": b"EVOLUTION_RETRY_MAX_ATTEMPTS=4\n",
}
OPTIONS = ["-o", "asyncio_default_fixture_loop_scope=function"]
TEST_FUNCTION = re.compile(r"^(?:async )?def test_", re.MULTILINE)
LANGUAGES = {"python", "bash", "yaml", ""}

# What a page takes for granted, besides the stage.
GIVEN = {
    "errors.md": "from evolution_sdk import EvolutionClient; client = EvolutionClient()",
}

RUNNABLE = {"python", "setup", "check"}

every_page = pytest.mark.parametrize("page", PAGES, ids=docs_pages.name)


@pytest.fixture
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits of the clients return at once, and are counted, so that no wait goes on for ever."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < MOST_SLEEPS, "a block waits for something that never comes"

    async def async_sleep(seconds: float) -> None:
        sleep(seconds)

    monkeypatch.setattr("evolution_sdk._sync.ports.sleep", sleep)
    monkeypatch.setattr("evolution_sdk._async.ports.sleep", async_sleep)
    return waits


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Undo what a page sets for the whole process: variables, and loggers."""
    loggers = [logging.getLogger(), logging.getLogger("evolution_sdk")]
    before = [(each, each.level, list(each.handlers)) for each in loggers]
    with patch.dict(os.environ):
        yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def stage(
    nothing_left: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[FakeEvolution]:
    """A folder with the files that pages speak of; a served fake is the environment's server."""
    for file_name, content in FILES.items():
        (tmp_path / file_name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    for variable in [v for v in os.environ if v.startswith(("EVOLUTION_", "WEBHOOK_"))]:
        monkeypatch.delenv(variable)
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.services.put_on_web("https://example.com/photo.jpg", FILES["photo.jpg"])
        monkeypatch.setenv("EVOLUTION_API_URL", fake.url)
        monkeypatch.setenv("EVOLUTION_API_KEY", KEY)
        monkeypatch.setenv("EVOLUTION_INSTANCE", "sales")
        monkeypatch.setenv("EVOLUTION_RETRY_DELAY_MS", "1")
        yield fake


def _count_tests(step: docs_pages.Step) -> int:
    return len(TEST_FUNCTION.findall(step.code)) if step.kind == "python" else 0


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if RUNNABLE & {step.kind for step in docs_pages.steps(page)}],
    ids=docs_pages.name,
)
def test_python_blocks_run_in_order(
    page: Path, stage: FakeEvolution, no_sleep: list[float], tmp_path: Path
) -> None:
    todo = [s for s in docs_pages.steps(page) if s.kind in RUNNABLE and not _count_tests(s)]
    if page.name != "README.md":  # there the instance is made by a hidden step, next to its use
        stage.create_instance("sales")
    namespace: dict[str, Any] = {"__name__": "__docs__", "fake": stage}
    try:
        exec(GIVEN.get(page.name, ""), namespace)
        for step in todo:
            if step.kind != "python":  # hidden steps speak of the stage, whatever a block named so
                namespace["fake"] = stage
            code = step.code.replace("http://localhost:8080", stage.url)
            code = code.replace("/etc/bot/", f"{tmp_path}/")
            # The blank lines make tracebacks name the page's own line.
            source = "\n" * (step.line - 1) + code
            exec(compile(source, str(page), "exec"), namespace)
    finally:
        for value in namespace.values():
            if isinstance(value, EvolutionClient):
                value.close()


WITH_TESTS = [page for page in PAGES if any(map(_count_tests, docs_pages.steps(page)))]


def test_some_pages_have_test_blocks() -> None:
    assert WITH_TESTS


@pytest.mark.parametrize("page", WITH_TESTS, ids=docs_pages.name)
def test_test_blocks_pass(page: Path, tmp_path: Path) -> None:
    """Blocks with test functions are whole test files."""
    files: list[str] = []
    count = 0
    for step in filter(_count_tests, docs_pages.steps(page)):
        path = tmp_path / f"test_line_{step.line}.py"
        path.write_text(step.code, encoding="utf-8")
        files.append(path.name)
        count += _count_tests(step)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-W", "error", *OPTIONS, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} passed" in done.stdout


@every_page
def test_blocks_say_their_language(page: Path) -> None:
    kinds = {step.kind for step in docs_pages.steps(page)} - {"setup", "check"}
    assert kinds <= LANGUAGES
    assert page.read_text(encoding="utf-8").count("\n```") % 2 == 0, "a block is not closed"


def _targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _extras() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])


def _check_pip(words: list[str]) -> None:
    assert words[0] == "install"
    for requirement in words[1:]:
        match = re.fullmatch(r"evolutionapi-sdk(?:\[([\w,-]+)\])?", requirement)
        assert match, requirement
        assert set(filter(None, (match[1] or "").split(","))) <= _extras()


def _check_python(words: list[str]) -> None:
    if words[:2] == ["-m", "evolution_sdk"]:
        _check_evolution(words[2:])
    else:
        assert (ROOT / words[0]).is_file(), words[0]


def _check_evolution(words: list[str]) -> None:
    name, *rest = words
    options = COMMANDS[name].load().parser().parse_args(rest)
    if name == "fake-server":
        build(options)


def _check_command(line: str) -> None:
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        variable = words.pop(0).partition("=")[0]
        live = {f"EVOLUTION_LIVE_{name}" for name in ("URL", "API_KEY", "GRAPH_URL")}
        known = {*variable_paths(), *live}
        assert variable in known, variable
    if not words:
        return
    match words:
        case ["make", *targets]:
            assert set(targets) <= _targets(), line
        case ["pip", *rest]:
            _check_pip(rest)
        case ["python", *rest]:
            _check_python(rest)
        case ["evolution", *rest]:
            _check_evolution(rest)
        case ["pytest" | ".venv/bin/pytest", *rest]:
            assert all((ROOT / word).exists() for word in rest if not word.startswith("-")), line
        case ["cp", source, _]:
            assert (ROOT / source).is_file(), source
        case _:
            pytest.fail(f"nothing here checks this command: {line}")


@every_page
def test_shell_commands_exist(page: Path) -> None:
    for step in docs_pages.steps(page):
        if step.kind == "bash":
            for line in step.code.replace("\\\n", " ").splitlines():
                _check_command(line)


def test_the_first_example_works_against_the_fake_server_as_printed() -> None:
    """Whoever copies both from the README gets an answer."""
    steps = list(docs_pages.steps(ROOT / "README.md"))
    commands = [
        shlex.split(line)
        for step in steps
        if step.kind == "bash"
        for line in step.code.splitlines()
        if " fake-server " in line
    ]
    example = next(step.code for step in steps if step.kind == "python")
    literals = re.search(r'EvolutionClient\("(.+?)", "(.+?)", instance="(.+?)"\)', example)
    assert literals is not None
    url, key, instance = literals.groups()
    assert commands
    for words in commands:
        arguments = parser().parse_args(words[words.index("fake-server") + 1 :])
        assert url == f"http://localhost:{arguments.port}"
        fake = build(arguments)
        with EvolutionClient(url, key, instance=instance, http_client=fake.http_client()) as client:
            client.messages.send_text("5511999999999", "Olá!")
        fake.assert_sent("5511999999999", text="Olá!")


def test_every_install_hint_can_be_copied_into_any_shell() -> None:
    """Unquoted, zsh takes the brackets for a pattern: no matches found."""
    folders = ("src", "docs", "examples", "benchmarks")
    pages = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    hint = re.compile(r"pip install [^\n]*?evolutionapi-sdk\[")
    for path in (*pages, ROOT / "README.md"):
        if path.suffix not in {".py", ".md", ".toml", ".txt", ".yml"}:
            continue
        for found in hint.finditer(path.read_text("utf-8")):
            assert found[0].endswith("'evolutionapi-sdk["), f"{path}: {found[0]}"


def test_extras_named_in_the_readme_exist() -> None:
    named = re.findall(r"evolutionapi-sdk\[([\w-]+)\]", (ROOT / "README.md").read_text())
    assert set(named) == _extras()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=docs_pages.name)
def test_links_resolve(page: Path) -> None:
    assert docs_pages.dead_links(page) == []


@pytest.mark.parametrize("language", ["en", "pt"])
def test_every_page_is_in_the_index(language: str) -> None:
    """Or in the index of its folder, which the first one lists."""
    folder = ROOT / "docs" / language
    listed = {
        (index.parent / link).resolve()
        for index in folder.rglob("index.md")
        for link in docs_pages.links(index)
    }
    assert {*folder.rglob("*.md")} - {folder / "index.md"} <= listed


def test_variables_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(EVOLUTION_\w+)` \|", text, re.MULTILINE))
    assert named
    assert named <= set(variable_paths())


def test_the_drawn_tree_is_the_real_one() -> None:
    """Every path drawn exists; every part of the package is drawn."""
    page = (ROOT / "docs" / "en" / "architecture.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"^```\n(src/evolution_sdk/\n.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path: list[str] = []
    seen: set[Path] = set()
    for line in drawn.splitlines():
        entry = re.match(r"( *)(\S+)", line)
        assert entry, line
        depth = len(entry[1]) // 2
        names = re.findall(r"\S+/(?= |$)", line) if line.startswith("docs/") else [entry[2]]
        for each in names:
            path[depth:] = [each]
            there = ROOT.joinpath(*path)
            assert there.exists(), there
            seen.add(there)
    package = ROOT / "src" / "evolution_sdk"
    parts = {p for p in package.iterdir() if p.name not in ("__pycache__", "py.typed")}
    assert parts <= seen


@every_page
def test_paths_named_in_the_text_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:src|tests|tools|docs|examples|benchmarks)/[\w/.]*)[` ]", page.read_text()
    )
    assert [path for path in named if not (ROOT / path).exists()] == []

"""Commands that the pages show are commands of the program."""

from __future__ import annotations

import re
import shlex

import pytest
from docs_pages import PAGES, name

from evolution_sdk._cli.language import take_language
from evolution_sdk.cli.commands import COMMANDS

_SHOWN = re.compile(r"^\$ (?:[A-Z_]+=\S+ )*evolution (.+)$", re.MULTILINE)
LINES = [(name(page), line) for page in PAGES for line in _SHOWN.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize(("page", "line"), LINES)
def test_commands_that_are_shown_can_be_given(page: str, line: str) -> None:
    _, words = take_language(shlex.split(line.partition(" > ")[0], comments=True))
    COMMANDS[words[0]].load().parser().parse_args(words[1:])


def test_every_command_is_in_the_table_of_commands() -> None:
    (page,) = (page for page in PAGES if page.name == "cli.md" and "/pt/" not in page.as_posix())
    rows = re.findall(r"^\| (`[^|]+) \|", page.read_text("utf-8"), re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([\w-]+)`", row)}
    assert set(COMMANDS) <= named

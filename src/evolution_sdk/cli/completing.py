"""Reading parsers for completion: which words may come where."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evolution_sdk._cli.language import LANGUAGES, t

from .commands import Command

# argparse has no public way to read a parser.
# pyright: reportPrivateUsage=false

__all__ = ["Level", "Words", "commands_of"]

# Names of values that are files, in both languages.
_FILES: Final = frozenset({"FILE", "PATH", "FOLDER", "ARQUIVO", "CAMINHO", "PASTA"})


@dataclass(frozen=True, slots=True)
class Words:
    """An option, or a positional argument.

    Attributes:
        flags: Its names; empty for a positional argument.
        help: Its help, in one line.
        takes_value: Whether a value follows.
        choices: The values that it takes; empty for any.
        is_file: Whether the value is a file.
    """

    flags: tuple[str, ...]
    help: str
    takes_value: bool
    choices: tuple[str, ...] = ()
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """The program, a command or a subcommand.

    Attributes:
        path: The words that lead to it: ``()``, ``("outbox",)``, ``("outbox", "list")``.
        help: Its help, in one line.
        words: Its options and positional arguments.
        below: What comes one word further.
    """

    path: tuple[str, ...]
    help: str
    words: tuple[Words, ...]
    below: tuple[Level, ...] = ()

    @property
    def options(self) -> tuple[Words, ...]:
        """Its options."""
        return tuple(each for each in self.words if each.flags)

    @property
    def positionals(self) -> tuple[Words, ...]:
        """Its positional arguments."""
        return tuple(each for each in self.words if not each.flags)

    def walk(self) -> Iterator[Level]:
        """Return it and all that is below it."""
        yield self
        for each in self.below:
            yield from each.walk()


def commands_of(table: Mapping[str, Command]) -> Level:
    """Read the parsers of all commands.

    Args:
        table: The commands by name. One whose module has no ``parser``, or cannot be imported
            without an extra, is completed by name only.
    """
    below = tuple(_command(name, command) for name, command in table.items())
    own = (
        Words(("-h", "--help"), t("show this help and exit", "mostra esta ajuda e sai"), False),
        Words(("--version",), t("show the version and exit", "mostra a versão e sai"), False),
        _LANG,
    )
    return Level((), "", own, below)


_LANG: Final = Words(("--lang",), "English / português", True, LANGUAGES)


def _command(name: str, command: Command) -> Level:
    try:
        made = getattr(command.load(), "parser", None)
    except ImportError:
        made = None
    if made is None:
        return Level((name,), command.words, ())
    return _level((name,), command.words, made())


def _level(path: tuple[str, ...], words: str, parser: argparse.ArgumentParser) -> Level:
    own: list[Words] = [_LANG]
    below: list[Level] = []
    formatter = parser._get_formatter()
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            below += [
                _level((*path, name), helps.get(name, ""), made)
                for name, made in _named(action).items()
            ]
        else:
            own.append(_words(action, formatter))
    return Level(path, words, tuple(own), tuple(below))


def _named(action: Any) -> Mapping[str, argparse.ArgumentParser]:
    made: Mapping[str, argparse.ArgumentParser] = action.choices
    return made


def _words(action: argparse.Action, formatter: argparse.HelpFormatter) -> Words:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return Words(
        flags=tuple(action.option_strings),
        help=" ".join(formatter._expand_help(action).split()) if action.help else "",
        takes_value=action.nargs != 0,
        choices=tuple(str(each) for each in action.choices or ()),
        is_file=action.type is Path or metavar in _FILES,
    )

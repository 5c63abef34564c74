"""``completion``: prints the completion script of a shell, made from the parsers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from evolution_sdk._cli.frame import DONE, CommandParser, guarded, program
from evolution_sdk._cli.language import t

from .commands import COMMANDS
from .completing import commands_of
from .completion_scripts import bash, fish, zsh

__all__ = ["main", "parser"]

_SHELLS: Final = {"bash": bash, "zsh": zsh, "fish": fish}
_EXAMPLES: Final[Mapping[str, str]] = {
    "bash": "evolution completion bash > ~/.local/share/bash-completion/completions/evolution",
    "zsh": 'evolution completion zsh > "${fpath[1]}/_evolution"',
    "fish": "evolution completion fish > ~/.config/fish/completions/evolution.fish",
}


def parser() -> CommandParser:
    """Make the parser of the options."""
    listed = "\n".join(f"  {line}" for line in _EXAMPLES.values())
    options = CommandParser(
        prog=f"{program()} completion",
        description=t(
            f"Print the completion script of a shell, to be kept once:\n\n{listed}",
            f"Mostra o script de autocompletar do shell, a ser gravado uma vez:\n\n{listed}",
        ),
    )
    options.add_argument("shell", choices=_SHELLS, help=t("the shell", "o shell"))
    return options


def main(argv: Sequence[str]) -> int:
    """Print the script.

    Args:
        argv: The arguments after ``completion``.

    Returns:
        The exit code.
    """
    arguments = parser().parse_args(argv)
    return guarded("completion", lambda: _completion(arguments))


def _completion(arguments: argparse.Namespace) -> int:
    sys.stdout.write(_SHELLS[arguments.shell](commands_of(COMMANDS)))
    return DONE

"""``evolution``, or ``python -m evolution_sdk``: one program for all commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from evolution_sdk._cli.frame import CommandParser, program
from evolution_sdk._version import __version__

__all__ = ["main"]


class _Command(NamedTuple):
    """One command; its module is imported when it is run.

    Attributes:
        run: Takes the arguments after its name, and returns the exit code.
        words: What it does.
    """

    run: Callable[[Sequence[str]], int]
    words: str


def _fake_server(arguments: Sequence[str]) -> int:
    from evolution_sdk.testing.cli import main as run

    return run(arguments)


def _monitor(arguments: Sequence[str]) -> int:
    from evolution_sdk.monitor.cli import main as run

    return run(arguments)


def _outbox(arguments: Sequence[str]) -> int:
    from evolution_sdk.outbox.cli import main as run

    return run(arguments)


_COMMANDS: Final = {
    "fake-server": _Command(_fake_server, "run a fake Evolution API server for tests and demos"),
    "monitor": _Command(_monitor, "watch the health of a server and its instances"),
    "outbox": _Command(_outbox, "send, list and settle messages that were handed over"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Arguments without the program's name. Default: those of the process.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    width = max(map(len, _COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {each.words}" for name, each in _COMMANDS.items())
    parser = CommandParser(
        prog=program(),
        usage="%(prog)s [-h] [--version] COMMAND ...",
        description="Tools of evolution-sdk for the Evolution API.",
        epilog=f"commands:\n{listed}",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND", help="what to run")
    chosen = parser.parse_args(arguments[:1])
    return _COMMANDS[chosen.command].run(arguments[1:])


if __name__ == "__main__":
    sys.exit(main())

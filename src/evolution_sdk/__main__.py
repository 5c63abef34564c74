"""``python -m evolution_sdk``: the version, the monitor, and the fake server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evolution_sdk import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Arguments without the program's name. Default: those of the process.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m evolution_sdk", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=["fake-server", "monitor"], help="what to run")
    chosen = parser.parse_args(arguments[:1])
    if chosen.command == "fake-server":
        from evolution_sdk.testing.cli import main as fake_server

        return fake_server(arguments[1:])
    if chosen.command == "monitor":
        from evolution_sdk.monitor.cli import main as monitor

        return monitor(arguments[1:])
    return 2


if __name__ == "__main__":
    sys.exit(main())

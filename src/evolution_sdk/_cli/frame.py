"""Running a command: its exit codes, and errors as one line instead of a traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final, NoReturn

from evolution_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    EvolutionError,
    RequestValidationError,
)

from .output import printable

__all__ = [
    "CANNOT",
    "DONE",
    "EXIT_CODES",
    "INTERRUPTED",
    "NO",
    "WRONG",
    "CommandParser",
    "guarded",
    "program",
]

DONE: Final = 0
NO: Final = 1
WRONG: Final = 2
CANNOT: Final = 3
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    DONE: "done",
    NO: "the answer is no: there is no such thing, or its state does not allow it",
    WRONG: "an option, a value or a setting is wrong; nothing was done",
    CANNOT: "a store, a file or the server cannot be used",
    INTERRUPTED: "interrupted by Ctrl-C or a second signal",
}
"""Exit codes of the commands; those of ``monitor`` tell health instead."""


def program() -> str:
    """Return the words by which the program was called: ``evolution`` or ``python -m …``."""
    name = PurePath(sys.argv[0]).stem if sys.argv else ""
    return name if name == "evolution" else "python -m evolution_sdk"


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are one line on stderr."""

    def __init__(self, **options: Any) -> None:
        # An abbreviation would change its meaning with every option that is added.
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Exit with 2, and one line that names the remedy."""
        self.exit(WRONG, f"{self.prog}: {printable(message)} (see {self.prog} --help)\n")


def guarded(name: str, work: Callable[[], int]) -> int:
    """Do what a command is to do; whatever is wrong becomes an exit code and one line on stderr.

    Args:
        name: Name of the command, for that line.
        work: Does it, and returns the exit code.

    Returns:
        The exit code.
    """
    try:
        code = work()
        sys.stdout.flush()
    except (ConfigurationError, RequestValidationError, AuthenticationError) as wrong:
        return _told(name, wrong, WRONG)
    except EvolutionError as failed:
        return _told(name, failed, CANNOT)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has gone: flushing at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT
    except OSError as failed:
        return _told(name, failed, CANNOT)
    return code


def _told(name: str, error: Exception, code: int) -> int:
    words = " ".join(str(error).splitlines())
    sys.stderr.write(f"{program()} {name}: {printable(words)}\n")
    return code

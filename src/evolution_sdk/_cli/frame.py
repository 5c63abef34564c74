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
    DeliveryFailedError,
    EvolutionError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    OutboxConflictError,
    OutboxEndedError,
    RecipientNotFoundError,
    RecipientOptedOutError,
    RequestValidationError,
    WaitTimeoutError,
)

from .argparse_words import HelpFormatter, translated
from .language import t
from .output import printable

__all__ = [
    "CANNOT",
    "DONE",
    "INTERRUPTED",
    "NO",
    "WRONG",
    "CommandParser",
    "exit_codes",
    "guarded",
    "program",
]

DONE: Final = 0
NO: Final = 1
WRONG: Final = 2
CANNOT: Final = 3
INTERRUPTED: Final = 130

_MISTAKES: Final = (
    AuthenticationError,
    ConfigurationError,
    OutboxConflictError,
    RequestValidationError,
)
# The server, or WhatsApp, has answered: not this one, or not now.
_NEGATIVE: Final = (
    DeliveryFailedError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    OutboxEndedError,
    RecipientNotFoundError,
    RecipientOptedOutError,
    WaitTimeoutError,
)
_EXIT_CODES: Final = {
    DONE: ("done", "feito"),
    NO: (
        "the answer is no: there is no such thing, or its state does not allow it",
        "a resposta é não: isso não existe, ou o estado não permite",
    ),
    WRONG: (
        "an option, a value or a setting is wrong; nothing was done",
        "uma opção, um valor ou uma configuração está errada; nada foi feito",
    ),
    CANNOT: (
        "a store, a file or the server cannot be used",
        "não foi possível usar um banco, um arquivo ou o servidor",
    ),
    INTERRUPTED: (
        "interrupted by Ctrl-C or a second signal",
        "interrompido por Ctrl-C ou por um segundo sinal",
    ),
}


def exit_codes() -> str:
    """Return the exit codes in the chosen language, as the end of a help text.

    Those of ``monitor`` tell health instead.
    """
    title = t("exit codes", "códigos de saída")
    listed = (f"  {code:<4} {t(en, pt)}" for code, (en, pt) in _EXIT_CODES.items())
    return "\n".join((f"{title}:", *listed))


def program() -> str:
    """Return the words by which the program was called: ``evolution`` or ``python -m …``."""
    name = PurePath(sys.argv[0]).stem if sys.argv else ""
    return name if name == "evolution" else "python -m evolution_sdk"


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are one line on stderr, and whose own words are in both languages.

    Args:
        wrong: Exit code of a wrong option.
        **options: As of :class:`argparse.ArgumentParser`. The epilog's default are the exit codes.
    """

    def __init__(self, *, wrong: int = WRONG, **options: Any) -> None:
        # An abbreviation would change its meaning with every option that is added.
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", HelpFormatter)
        options.setdefault("epilog", exit_codes())
        super().__init__(**options, add_help=False)
        self._wrong = wrong
        self._positionals.title = t("positional arguments", "argumentos")
        self._optionals.title = t("options", "opções")
        self.add_argument(
            "-h",
            "--help",
            action="help",
            help=t("show this help and exit", "mostra esta ajuda e sai"),
        )

    def error(self, message: str) -> NoReturn:
        """Exit with 2 or the parser's own code, and one line that names the remedy."""
        more = t(f"see {self.prog} --help", f"veja {self.prog} --help")
        self.exit(self._wrong, f"{self.prog}: {printable(translated(message))} ({more})\n")


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
    except _MISTAKES as wrong:
        return _told(name, wrong, WRONG)
    except _NEGATIVE as answer:
        return _told(name, answer, NO)
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

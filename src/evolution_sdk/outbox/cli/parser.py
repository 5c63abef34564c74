"""Options of ``outbox``."""

from __future__ import annotations

import argparse
from typing import Any, Final, TypeAlias

from evolution_sdk._cli.frame import EXIT_CODES, CommandParser, program
from evolution_sdk._cli.options import add_settings, add_shape, duration, moment
from evolution_sdk.outbox.records import OutboxState

__all__ = ["ENGINES", "parser"]

ENGINES: Final = ("embedded", "procrastinate")
"""Engines that ``outbox run`` can send with."""

# argparse names the class of subparsers privately.
_Adds: TypeAlias = Any


_EPILOG: Final = "exit codes:\n" + "\n".join(
    f"  {code:<4} {words}" for code, words in EXIT_CODES.items()
)


def parser() -> argparse.ArgumentParser:
    """Make the parser of ``outbox`` and its subcommands."""
    options = CommandParser(
        prog=f"{program()} outbox",
        description="The outbox: messages are written down first, and sent once.",
        epilog=_EPILOG,
    )
    commands = options.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_questions(commands)
    _add_changes(commands)
    _add_upkeep(commands)
    _add_holding(commands)
    return options


def _add(commands: _Adds, name: str, words: str) -> CommandParser:
    made: CommandParser = commands.add_parser(
        name, help=words, description=f"{words[:1].upper()}{words[1:]}.", epilog=_EPILOG
    )
    made.add_argument(
        "--store",
        metavar="PLACE",
        help="a SQLite file or a postgresql:// URL; default: EVOLUTION_OUTBOX_STORE, which no "
        "process list shows, else outbox.db",
    )
    add_settings(made)
    add_shape(made)
    return made


def _add_run(commands: _Adds) -> None:
    run = _add(commands, "run", "send what is handed over, until SIGINT or SIGTERM")
    run.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="messages sent at once; default: EVOLUTION_OUTBOX_WORKERS, else 4",
    )
    _add_engine(run)
    run.add_argument(
        "--patience",
        type=duration,
        default="90s",
        metavar="TIME",
        help="longest wait at the end for what is being sent (90s); a second signal ends at once",
    )


def _add_engine(options: CommandParser) -> None:
    options.add_argument(
        "--engine", choices=ENGINES, default=ENGINES[0], help="who deals out the work (%(default)s)"
    )


def _add_questions(commands: _Adds) -> None:
    listing = _add(commands, "list", "list messages, the oldest first")
    listing.add_argument(
        "--state",
        action="append",
        choices=[state.value for state in OutboxState],
        metavar="STATE",
        help="only those in this state, repeatable: "
        + ", ".join(state.value for state in OutboxState),
    )
    listing.add_argument(
        "--since", type=moment, metavar="TIME", help="only those handed over since: 2h, or ISO 8601"
    )
    listing.add_argument("--instance", metavar="NAME", help="only those of this instance")
    listing.add_argument("--to", metavar="NUMBER", help="only those to this number or JID")
    listing.add_argument(
        "--limit", type=_count, default=100, metavar="N", help="most messages (%(default)s)"
    )
    listing.add_argument(
        "--after-id", type=int, default=0, metavar="ID", help="only rows after this one"
    )
    _add_show_numbers(listing)
    show = _add(commands, "show", "tell the state of a message, its times, and what to do")
    show.add_argument("key", metavar="KEY", help="its key")
    _add_show_numbers(show)
    _add(commands, "counts", "count the messages by instance and state, with ages and pauses")


def _add_show_numbers(options: CommandParser) -> None:
    options.add_argument(
        "--show-numbers",
        action="store_true",
        help="show phone numbers whole, and the metadata; default: masked, and left out",
    )


def _add_changes(commands: _Adds) -> None:
    for name, words in (
        ("retry", "queue messages anew that failed, expired, were refused or taken back"),
        ("cancel", "take messages back that are not being sent yet"),
        ("resolve", "decide about unknown messages, after a look at the phone"),
    ):
        made = _add(commands, name, words)
        made.add_argument("keys", nargs="+", metavar="KEY", help="keys of the messages")
        if name == "cancel":
            made.add_argument(
                "--reason", default="cancelled", help="words to be kept (%(default)s)"
            )
        if name == "resolve":
            which = made.add_mutually_exclusive_group(required=True)
            which.add_argument(
                "--sent", action="store_true", dest="sent", help="the phone shows it: it was sent"
            )
            which.add_argument(
                "--not-sent", action="store_false", dest="sent", help="it was not: send it again"
            )


def _add_upkeep(commands: _Adds) -> None:
    _add_engine(_add(commands, "migrate", "make the tables, or bring them to the newest version"))
    purge = _add(commands, "purge", "delete messages that are over, never unknown ones")
    purge.add_argument(
        "--older-than",
        type=duration,
        required=True,
        metavar="TIME",
        help="only those handed over longer ago: 30d; their keys are forgotten",
    )
    purge.add_argument("--yes", action="store_true", help="do not ask, where a person is there")


def _add_holding(commands: _Adds) -> None:
    pause = _add(commands, "pause", "send nothing more until resume; hand-overs go on")
    pause.add_argument("--reason", default="paused", help="words to be shown (%(default)s)")
    resume = _add(commands, "resume", "end a pause at once, whoever began it")
    for made in (pause, resume):
        made.add_argument("--instance", metavar="NAME", help="only this one; default: all of them")
    opt_out = _add(
        commands, "opt-out", "refuse hand-overs to somebody; without a number, list those"
    )
    opt_out.add_argument("number", nargs="?", metavar="NUMBER", help="a number or JID")
    opt_out.add_argument("--instance", metavar="NAME", help="only for this one; default: for all")
    opt_out.add_argument("--reason", default="", help="words to be kept")
    opt_out.add_argument(
        "--remove", action="store_true", help="they may be written to again; needs the number"
    )
    _add_show_numbers(opt_out)


def _count(text: str) -> int:
    try:
        found = int(text)
    except ValueError:
        found = 0
    if not 1 <= found <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 1000000")
    return found

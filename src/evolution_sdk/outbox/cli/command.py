"""Subcommands of ``outbox``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._cli.colour import STATES
from evolution_sdk._cli.frame import DONE, NO, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import settings_of
from evolution_sdk._cli.output import age_words, print_json, print_table, print_text, time_words
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import OutboxStoreError, RequestValidationError
from evolution_sdk.outbox.tables import STEPS

from .opting_out import opt_out
from .parser import parser
from .words import (
    message_json,
    message_row,
    message_words,
    pause_words,
    titles,
)

if TYPE_CHECKING:
    from evolution_sdk.outbox import Outbox, ProcrastinateEngine

__all__ = ["main"]

Command = Callable[["Outbox", argparse.Namespace], int]
_YES: Final = ("y", "yes", "s", "sim")
# These make the file of SQLite where it is missing; others would answer about an empty one.
_MAKES_STORE: Final = ("run", "migrate")


def main(argv: Sequence[str]) -> int:
    """Run a subcommand.

    Args:
        argv: The arguments after ``outbox``.

    Returns:
        The exit code: 0 done, 1 no, 2 a wrong option or setting, 3 the store cannot be used.
    """
    arguments = parser().parse_args(argv)
    name = f"outbox {arguments.command}"
    return guarded(name, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    config = settings_of(arguments, needs_server=arguments.command == "run")
    place: str = arguments.store or config.outbox.store.get_secret_value()
    if arguments.command not in _MAKES_STORE and not is_postgres(place):
        _require_file(place)
    engine = _engine(arguments)
    with _outbox(config, place, arguments, engine) as outbox:
        if arguments.command == "run":
            from .running import run

            return run(outbox, arguments, engine)
        return _COMMANDS[arguments.command](outbox, arguments)


def _engine(arguments: argparse.Namespace) -> ProcrastinateEngine | None:
    if getattr(arguments, "engine", "") != "procrastinate":
        return None
    from evolution_sdk.outbox import ProcrastinateEngine

    return ProcrastinateEngine()


@contextmanager
def _outbox(
    config: EvolutionConfig,
    place: str,
    arguments: argparse.Namespace,
    engine: ProcrastinateEngine | None,
) -> Generator[Outbox]:
    from evolution_sdk._sync.client import EvolutionClient
    from evolution_sdk.outbox import Outbox

    workers: int | None = getattr(arguments, "workers", None)
    with EvolutionClient(config=config) as client:
        outbox = Outbox(place, client=client, workers=workers, engine=engine)
        try:
            yield outbox
        finally:
            outbox.close(timeout_ms=0)


def _require_file(place: str) -> None:
    """Refuse a place where nothing is: it is a wrong path rather than an empty outbox."""
    if not Path(place).is_file():
        raise OutboxStoreError(
            t(
                f"there is no file {place}. Name it with --store or EVOLUTION_OUTBOX_STORE, or "
                f"make it with: {program()} outbox migrate",
                f"o arquivo {place} não existe. Indique-o com --store ou EVOLUTION_OUTBOX_STORE, "
                f"ou crie-o com: {program()} outbox migrate",
            ),
            kind="missing",
        )


def _list(outbox: Outbox, arguments: argparse.Namespace) -> int:
    found = outbox.find(
        state=arguments.state,
        recipient=arguments.to,
        instance=arguments.instance,
        since=arguments.since,
        after_id=arguments.after_id,
        limit=arguments.limit,
    )
    full = len(found) == arguments.limit
    whole: bool = arguments.show_numbers
    if arguments.json:
        messages = [message_json(message, whole=whole) for message in found]
        print_json({"messages": messages, "next_after_id": found[-1].id if full else None})
        return DONE
    if not found:
        print_text(t("no messages", "nenhuma mensagem"))
        return DONE
    now = datetime.now(UTC)
    rows = [message_row(message, now, whole=whole) for message in found]
    print_table(titles(), rows, colours=STATES)
    if full:
        print_text(
            t(
                f"there may be more: --after-id {found[-1].id}",
                f"pode haver mais: --after-id {found[-1].id}",
            )
        )
    return DONE


def _show(outbox: Outbox, arguments: argparse.Namespace) -> int:
    message = outbox.get(arguments.key)
    if message is None:
        return _none(arguments.key)
    if arguments.json:
        print_json(message_json(message, whole=arguments.show_numbers))
    else:
        pauses = () if message.state.is_over else outbox.pauses()
        now, whole = datetime.now(UTC), arguments.show_numbers
        print_text(*message_words(message, pauses, now, whole=whole))
    return DONE


def _none(key: str) -> int:
    words = t(f"there is no message with the key {key!r}", f"não há mensagem com a chave {key!r}")
    sys.stderr.write(f"{program()} outbox: {words}\n")
    return NO


def _counts(outbox: Outbox, arguments: argparse.Namespace) -> int:
    stats = outbox.read_stats()
    instances: dict[str, dict[str, int]] = {}
    for (name, state), many in sorted(stats.counts.items()):
        instances.setdefault(name, {})[state] = many
    if arguments.json:
        pauses = [
            {
                "instance": pause.instance,
                "cause": pause.cause,
                "reason": pause.reason,
                "left_ms": pause.left_ms,
                "troubles": pause.troubles,
            }
            for pause in stats.pauses
        ]
        oldest = dict(stats.oldest_ms)
        print_json({"instances": instances, "oldest_ms": oldest, "pauses": pauses})
        return DONE
    if not instances:
        print_text(t("no messages", "nenhuma mensagem"))
    rows = [
        [
            name,
            ", ".join(f"{many} {state}" for state, many in states.items()),
            age_words(stats.oldest_ms[name] / 1_000) if name in stats.oldest_ms else "-",
        ]
        for name, states in instances.items()
    ]
    if rows:
        print_table(
            (
                t("instance", "instância"),
                t("messages", "mensagens"),
                t("oldest that is due", "mais antiga a enviar"),
            ),
            rows,
        )
    print_text(*map(pause_words, stats.pauses))
    return DONE


def _each(
    outbox: Outbox, arguments: argparse.Namespace, change: Callable[[str], bool], not_now: str
) -> int:
    """Change each message, and tell which were not."""
    results: list[dict[str, Any]] = []
    for key in arguments.keys:
        done = change(key)
        message = outbox.get(key)
        state = None if message is None else message.state.value
        results.append({"key": key, "done": done, "state": state})
        if arguments.json:
            continue
        if done:
            print_text(f"{key}: {state}")
        elif state is None:
            _none(key)
        else:
            sys.stderr.write(f"{program()} outbox: {key!r} {t('is', 'está')} {state}: {not_now}\n")
    if arguments.json:
        print_json({"results": results})
    return DONE if all(result["done"] for result in results) else NO


def _retry(outbox: Outbox, arguments: argparse.Namespace) -> int:
    words = t(
        "only what failed, expired, was refused or taken back is queued anew",
        "só volta à fila o que falhou, expirou, foi recusado ou cancelado",
    )
    return _each(outbox, arguments, outbox.retry, words)


def _cancel(outbox: Outbox, arguments: argparse.Namespace) -> int:
    def cancel(key: str) -> bool:
        return outbox.cancel(key, reason=arguments.reason)

    return _each(
        outbox,
        arguments,
        cancel,
        t("only what is queued can be taken back", "só o que está na fila pode ser cancelado"),
    )


def _resolve(outbox: Outbox, arguments: argparse.Namespace) -> int:
    def resolve(key: str) -> bool:
        return outbox.resolve(key, sent=arguments.sent)

    return _each(
        outbox,
        arguments,
        resolve,
        t(
            "only what is unknown needs a decision",
            "só o que está em dúvida (unknown) precisa de decisão",
        ),
    )


def _migrate(outbox: Outbox, arguments: argparse.Namespace) -> int:
    before = outbox.migrate()
    if arguments.json:
        print_json({"before": before, "now": len(STEPS)})
    elif before == len(STEPS):
        print_text(
            t(
                f"the tables are of version {before} already",
                f"as tabelas já são da versão {before}",
            )
        )
    else:
        print_text(
            t(
                f"the tables are of version {len(STEPS)} now (before: {before or 'none'})",
                f"as tabelas agora são da versão {len(STEPS)} (antes: {before or 'nenhuma'})",
            )
        )
    return DONE


def _purge(outbox: Outbox, arguments: argparse.Namespace) -> int:
    try:
        before = datetime.now(UTC) - arguments.older_than
    except OverflowError:
        raise RequestValidationError("--older-than", "is longer than time goes back") from None
    if not arguments.yes and sys.stdin.isatty():
        sys.stderr.write(
            t(
                "Delete messages that are over and were due before "
                f"{time_words(before)}? Their keys are forgotten. [y/N] ",
                "Apagar as mensagens encerradas que deviam sair antes de "
                f"{time_words(before)}? As chaves são esquecidas. [s/N] ",
            )
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in _YES:
            sys.stderr.write(t("nothing was deleted\n", "nada foi apagado\n"))
            return NO
    deleted = outbox.purge(arguments.older_than)
    if arguments.json:
        print_json({"deleted": deleted})
    else:
        print_text(t(f"{deleted} deleted", f"{deleted} apagada(s)"))
    return DONE


def _pause(outbox: Outbox, arguments: argparse.Namespace) -> int:
    outbox.pause(arguments.instance, reason=arguments.reason)
    return _said(arguments, t("paused", "em pausa"), done=True)


def _resume(outbox: Outbox, arguments: argparse.Namespace) -> int:
    done = outbox.resume(arguments.instance)
    return _said(
        arguments,
        t("goes on", "continua") if done else t("was not paused", "não estava em pausa"),
        done=done,
    )


def _said(arguments: argparse.Namespace, words: str, *, done: bool) -> int:
    if arguments.json:
        print_json({"instance": arguments.instance, "done": done})
    else:
        who = arguments.instance or t("the whole outbox", "a caixa inteira")
        print_text(f"{who} {words}")
    return DONE if done else NO


_COMMANDS: Final[Mapping[str, Command]] = {
    "list": _list,
    "show": _show,
    "counts": _counts,
    "retry": _retry,
    "cancel": _cancel,
    "resolve": _resolve,
    "migrate": _migrate,
    "purge": _purge,
    "pause": _pause,
    "resume": _resume,
    "opt-out": opt_out,
}

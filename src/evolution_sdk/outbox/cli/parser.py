"""Options of ``outbox``."""

from __future__ import annotations

import argparse
from typing import Any, Final, TypeAlias

from evolution_sdk._cli.frame import CommandParser, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, duration, moment
from evolution_sdk.outbox.records import OutboxState

__all__ = ["ENGINES", "parser"]

ENGINES: Final = ("embedded", "procrastinate")
"""Engines that ``outbox run`` can send with."""

# argparse names the class of subparsers privately.
_Adds: TypeAlias = Any


def parser() -> CommandParser:
    """Make the parser of ``outbox`` and its subcommands."""
    options = CommandParser(
        prog=f"{program()} outbox",
        description=t(
            "The outbox: messages are written down first, and sent once.",
            "O outbox: as mensagens são anotadas primeiro e enviadas uma única vez.",
        ),
    )
    commands = options.add_subparsers(
        dest="command", required=True, metavar=t("COMMAND", "COMANDO")
    )
    _add_run(commands)
    _add_questions(commands)
    _add_changes(commands)
    _add_upkeep(commands)
    _add_holding(commands)
    return options


def _add(commands: _Adds, name: str, words: str) -> CommandParser:
    made: CommandParser = commands.add_parser(
        name, help=words, description=f"{words[:1].upper()}{words[1:]}."
    )
    made.add_argument(
        "--store",
        metavar=t("PLACE", "LOCAL"),
        help=t(
            "a SQLite file or a postgresql:// URL; default: EVOLUTION_OUTBOX_STORE, which no "
            "process list shows, else outbox.db",
            "um arquivo SQLite ou uma URL postgresql://; padrão: EVOLUTION_OUTBOX_STORE, que não "
            "aparece na lista de processos, senão outbox.db",
        ),
    )
    add_settings(made)
    add_shape(made)
    return made


def _add_run(commands: _Adds) -> None:
    run = _add(
        commands,
        "run",
        t(
            "send what is handed over, until SIGINT or SIGTERM",
            "envia as mensagens da fila, até SIGINT ou SIGTERM",
        ),
    )
    run.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help=t(
            "messages sent at once; default: EVOLUTION_OUTBOX_WORKERS, else 4",
            "envios ao mesmo tempo; padrão: EVOLUTION_OUTBOX_WORKERS, senão 4",
        ),
    )
    _add_engine(run)
    run.add_argument(
        "--patience",
        type=duration,
        default="90s",
        metavar=t("TIME", "TEMPO"),
        help=t(
            "longest wait at the end for what is being sent (90s); a second signal ends at once",
            "espera máxima, no fim, pelo que está sendo enviado (90s); outro sinal encerra já",
        ),
    )


def _add_engine(options: CommandParser) -> None:
    options.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help=t("who deals out the work (%(default)s)", "quem distribui o trabalho (%(default)s)"),
    )


def _add_questions(commands: _Adds) -> None:
    listing = _add(
        commands,
        "list",
        t("list messages, the oldest first", "lista as mensagens, as mais antigas primeiro"),
    )
    listing.add_argument(
        "--state",
        action="append",
        choices=[state.value for state in OutboxState],
        metavar=t("STATE", "ESTADO"),
        help=t("only those in this state, repeatable: ", "só as neste estado, repetível: ")
        + ", ".join(state.value for state in OutboxState),
    )
    listing.add_argument(
        "--since",
        type=moment,
        metavar=t("TIME", "TEMPO"),
        help=t(
            "only those handed over since: 2h, or ISO 8601",
            "só as enfileiradas desde então: 2h, ou ISO 8601",
        ),
    )
    listing.add_argument(
        "--instance",
        metavar=t("NAME", "NOME"),
        help=t("only those of this instance", "só as desta instância"),
    )
    listing.add_argument(
        "--to",
        metavar=t("NUMBER", "NÚMERO"),
        help=t("only those to this number or JID", "só as para este número ou JID"),
    )
    listing.add_argument(
        "--limit",
        type=_count,
        default=100,
        metavar="N",
        help=t("most messages (%(default)s)", "máximo de mensagens (%(default)s)"),
    )
    listing.add_argument(
        "--after-id",
        type=int,
        default=0,
        metavar="ID",
        help=t("only rows after this one", "só as linhas depois desta"),
    )
    _add_show_numbers(listing)
    show = _add(
        commands,
        "show",
        t(
            "tell the state of a message, its times, and what to do",
            "mostra o estado de uma mensagem, seus horários e o que fazer",
        ),
    )
    show.add_argument("key", metavar=t("KEY", "CHAVE"), help=t("its key", "a chave da mensagem"))
    _add_show_numbers(show)
    _add(
        commands,
        "counts",
        t(
            "count the messages by instance and state, with ages and pauses",
            "conta as mensagens por instância e estado, com idades e pausas",
        ),
    )


def _add_show_numbers(options: CommandParser) -> None:
    options.add_argument(
        "--show-numbers",
        action="store_true",
        help=t(
            "show phone numbers whole, and the metadata; default: masked, and left out",
            "mostra os telefones inteiros e os metadados; padrão: mascarados, e omitidos",
        ),
    )


def _add_changes(commands: _Adds) -> None:
    for name, words in (
        (
            "retry",
            t(
                "queue messages anew that failed, expired, were refused or taken back",
                "põe de novo na fila o que falhou, expirou, foi recusado ou cancelado",
            ),
        ),
        (
            "cancel",
            t(
                "take messages back that are not being sent yet",
                "cancela mensagens que ainda não estão sendo enviadas",
            ),
        ),
        (
            "resolve",
            t(
                "decide about unknown messages, after a look at the phone",
                "decide sobre mensagens em dúvida (unknown), depois de olhar no telefone",
            ),
        ),
    ):
        made = _add(commands, name, words)
        made.add_argument(
            "keys",
            nargs="+",
            metavar=t("KEY", "CHAVE"),
            help=t("keys of the messages", "chaves das mensagens"),
        )
        if name == "cancel":
            made.add_argument(
                "--reason",
                default="cancelled",
                help=t("words to be kept (%(default)s)", "motivo a registrar (%(default)s)"),
            )
        if name == "resolve":
            which = made.add_mutually_exclusive_group(required=True)
            which.add_argument(
                "--sent",
                action="store_true",
                dest="sent",
                help=t("the phone shows it: it was sent", "aparece no telefone: foi enviada"),
            )
            which.add_argument(
                "--not-sent",
                action="store_false",
                dest="sent",
                help=t("it was not: send it again", "não aparece: envia de novo"),
            )


def _add_upkeep(commands: _Adds) -> None:
    _add_engine(
        _add(
            commands,
            "migrate",
            t(
                "make the tables, or bring them to the newest version",
                "cria as tabelas, ou as leva à versão mais nova",
            ),
        )
    )
    purge = _add(
        commands,
        "purge",
        t(
            "delete messages that are over, never unknown ones",
            "apaga mensagens já encerradas, nunca as em dúvida (unknown)",
        ),
    )
    purge.add_argument(
        "--older-than",
        type=duration,
        required=True,
        metavar=t("TIME", "TEMPO"),
        help=t(
            "only those that were due longer ago: 30d; their keys are forgotten",
            "só as que deviam sair há mais tempo: 30d; as chaves são esquecidas",
        ),
    )
    purge.add_argument(
        "--yes",
        action="store_true",
        help=t("do not ask, where a person is there", "não pergunta nada"),
    )


def _add_holding(commands: _Adds) -> None:
    pause = _add(
        commands,
        "pause",
        t(
            "send nothing more until resume; hand-overs go on",
            "para de enviar até o resume; a caixa continua aceitando mensagens",
        ),
    )
    pause.add_argument(
        "--reason",
        default="paused",
        help=t("words to be shown (%(default)s)", "motivo a mostrar (%(default)s)"),
    )
    resume = _add(
        commands,
        "resume",
        t("end a pause at once, whoever began it", "termina já uma pausa, seja de quem for"),
    )
    for made in (pause, resume):
        made.add_argument(
            "--instance",
            metavar=t("NAME", "NOME"),
            help=t("only this one; default: all of them", "só esta; padrão: todas"),
        )
    opt_out = _add(
        commands,
        "opt-out",
        t(
            "refuse hand-overs to somebody; without a number, list those",
            "recusa mensagens para alguém; sem número, lista quem pediu para sair",
        ),
    )
    opt_out.add_argument(
        "number",
        nargs="?",
        metavar=t("NUMBER", "NÚMERO"),
        help=t("a number or JID", "um número ou JID"),
    )
    opt_out.add_argument(
        "--instance",
        metavar=t("NAME", "NOME"),
        help=t("only for this one; default: for all", "só para esta; padrão: para todas"),
    )
    opt_out.add_argument("--reason", default="", help=t("words to be kept", "motivo a registrar"))
    opt_out.add_argument(
        "--remove",
        action="store_true",
        help=t(
            "they may be written to again; needs the number",
            "volta a permitir mensagens; exige o número",
        ),
    )
    _add_show_numbers(opt_out)


def _count(text: str) -> int:
    try:
        found = int(text)
    except ValueError:
        found = 0
    if not 1 <= found <= 1_000_000:
        raise argparse.ArgumentTypeError(
            t(
                f"{text!r} is no whole number from 1 to 1000000",
                f"{text!r} não é um número inteiro de 1 a 1000000",
            )
        )
    return found

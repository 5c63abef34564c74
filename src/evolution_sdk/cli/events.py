"""``evolution events``: what was recorded, shown again or posted to a receiver."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._cli.frame import DONE, NO, CommandParser, exit_codes, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_shape, http_url
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk._cli.secret_file import read_secret
from evolution_sdk.cli.event_lines import add_filters, event_json, event_words, filter_of, shower
from evolution_sdk.cli.plain_http import PlainHttp, webhook_headers
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, MalformedEvent, parse_event

__all__ = ["main", "parser"]

_POST_S: Final = 30.0


def parser() -> CommandParser:
    """Make the parser of ``events`` and its subcommand."""
    options = CommandParser(
        prog=f"{program()} events",
        description=t("Recorded events.", "Eventos gravados."),
        epilog=exit_codes(),
    )
    commands = options.add_subparsers(
        dest="command", required=True, metavar=t("COMMAND", "COMANDO")
    )
    words = t(
        "show the events of a file, or post them to a receiver in their order",
        "mostra os eventos de um arquivo ou os envia em ordem a um receptor",
    )
    replay: CommandParser = commands.add_parser(
        "replay", help=words, description=f"{words[:1].upper()}{words[1:]}.", epilog=exit_codes()
    )
    replay.add_argument(
        "file",
        metavar=t("FILE", "ARQUIVO"),
        help=t(
            "JSON Lines, or one JSON: bodies as the server posts them; - for standard input",
            "JSON Lines ou um único JSON: corpos como o servidor os envia; - para a entrada padrão",
        ),
    )
    replay.add_argument(
        "--to",
        type=http_url,
        metavar="URL",
        help=t(
            "post them there; it handles them as if they came now. Without it they are shown only",
            "envia para lá; o receptor os trata como se chegassem agora. Sem isso, só mostra",
        ),
    )
    replay.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help=t(
            "most events per second with --to; default: each as soon as the last is answered",
            "máximo de eventos por segundo com --to; padrão: cada um logo após a última resposta",
        ),
    )
    replay.add_argument(
        "--secret-file",
        type=Path,
        metavar=t("PATH", "CAMINHO"),
        help=t(
            "file with the webhook's jwt_key: posts are signed with it, as the server signs",
            "arquivo com a jwt_key do webhook: os envios são assinados como o servidor assina",
        ),
    )
    replay.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar=t("NAME", "NOME"),
        help=t("only this instance; repeatable", "só esta instância; pode repetir"),
    )
    add_filters(replay)
    add_shape(replay)
    return options


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(
            t(f"{text!r} is no number above 0", f"{text!r} não é um número maior que 0")
        )
    return rate


def main(argv: Sequence[str], *, sleep: Callable[[float], object] = time.sleep) -> int:
    """Run a subcommand.

    Args:
        argv: The arguments after ``events``.
        sleep: Blocks for some seconds.

    Returns:
        The exit code: 0 done, 1 a line is no event or a post was refused, 2 a wrong option or
        file, 3 the receiver cannot be reached.
    """
    arguments = parser().parse_args(argv)
    return guarded("events replay", lambda: _replay(arguments, sleep))


class _Recorded(NamedTuple):
    """One event of the file.

    Attributes:
        line: Its line, or its place in a list; from 1.
        body: What would be posted.
        event: What it says.
    """

    line: int
    body: bytes
    event: Event[Any]


def _replay(arguments: argparse.Namespace, sleep: Callable[[float], object]) -> int:
    chosen = filter_of(arguments, frozenset(arguments.instance))
    found = _recorded(_read(arguments.file))
    events: list[_Recorded] = []
    wrong = 0
    for each in found:
        if isinstance(each.event, MalformedEvent):
            wrong += 1
            why = each.event.reason
            sys.stderr.write(
                t(f"{each.line}: no event: {why}\n", f"{each.line}: não é um evento: {why}\n")
            )
        elif chosen.passes(each.event):
            events.append(each)
    if arguments.to is None:
        show = shower(arguments)
        for each in events:
            show(each.event)
        return NO if wrong else DONE
    refused = _post(arguments, events, sleep)
    return NO if wrong or refused else DONE


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read()
        return Path(name).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            t(
                f"{name} cannot be read ({type(error).__name__}).",
                f"não foi possível ler {name} ({type(error).__name__}).",
            ),
            variable="FILE",
        ) from None


def _recorded(text: str) -> Iterator[_Recorded]:
    """Read the events of a file: one JSON, a list of them, or one in each line."""
    try:
        whole: Any = json.loads(text)
    except ValueError:
        whole = None
    if is_array(whole):
        bodies = [(place, json.dumps(each)) for place, each in enumerate(whole, 1)]
    elif is_object(whole):
        bodies = [(1, json.dumps(whole))]
    else:
        lines = enumerate(text.split("\n"), 1)
        bodies = [(line, body.strip()) for line, body in lines if body.strip()]
    for line, body in bodies:
        data = body.encode("utf-8", "surrogatepass")
        yield _Recorded(line, data, parse_event(data))


def _post(
    arguments: argparse.Namespace, events: Sequence[_Recorded], sleep: Callable[[float], object]
) -> int:
    """Post events one after the other; returns how many were refused."""
    key = None if arguments.secret_file is None else read_secret(arguments.secret_file)
    refused = 0
    with PlainHttp(_POST_S) as http:
        for place, each in enumerate(events):
            if place and arguments.rate is not None:
                sleep(1 / arguments.rate)
            headers = {**webhook_headers(key), "user-agent": "evolution-sdk replay"}
            answer = http.ask("POST", arguments.to, body=each.body, headers=headers)
            if answer.status is None:
                raise OSError(
                    t(
                        f"the receiver did not answer event {each.line} ({answer.problem}); "
                        f"{place} were posted before it.",
                        f"o receptor não respondeu ao evento {each.line} ({answer.problem}); "
                        f"{place} foram enviados antes.",
                    )
                )
            refused += not answer.is_success
            if arguments.json:
                shown = event_json(each.event)
                print_json({"line": each.line, "http_status": answer.status, **shown})
            else:
                print_text(f"{answer.status}  {event_words(each.event)}")
    return refused

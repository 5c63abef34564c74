"""``send``: sends a text or a file, once for each key."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._cli.frame import DONE, NO, CommandParser, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, duration, settings_of
from evolution_sdk._cli.output import print_json, print_text, printable
from evolution_sdk.errors import ConfigurationError, EvolutionError, WaitTimeoutError
from evolution_sdk.models.message import Message

if TYPE_CHECKING:
    from evolution_sdk import EvolutionClient
    from evolution_sdk.outbox import OutboxMessage

__all__ = ["main", "parser"]

_TIMEOUT: Final = "60s"
_STATUSES: Final = {"server": "SERVER_ACK", "delivered": "DELIVERY_ACK", "read": "READ"}
_STDIN: Final = "-"
_URL: Final = re.compile(r"https?://", re.IGNORECASE)


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} send",
        description=t("Send a text or a file.", "Envia um texto ou um arquivo."),
    )
    options.add_argument(
        "number",
        metavar=t("NUMBER", "NÚMERO"),
        help=t(
            "a phone with its country code, or the JID of a group",
            "um telefone com o código do país, ou o JID de um grupo",
        ),
    )
    options.add_argument(
        "text",
        nargs="?",
        metavar=t("TEXT", "TEXTO"),
        help=t("the text; - reads it from stdin", "o texto; - lê da entrada padrão"),
    )
    options.add_argument(
        "--file",
        metavar=t("FILE", "ARQUIVO"),
        help=t(
            "a file or URL to send instead of a text",
            "um arquivo ou URL a enviar em vez de um texto",
        ),
    )
    options.add_argument(
        "--caption",
        metavar=t("TEXT", "TEXTO"),
        help=t("text below the file", "texto abaixo do arquivo"),
    )
    options.add_argument(
        "--key",
        metavar=t("KEY", "CHAVE"),
        help=t(
            "send through the outbox: the same key is sent once, however often it is tried",
            "envia pelo outbox: a mesma chave é enviada uma só vez, mesmo se repetida",
        ),
    )
    options.add_argument(
        "--store",
        metavar=t("PLACE", "LOCAL"),
        help=t(
            "store of the outbox; default: EVOLUTION_OUTBOX_STORE, else outbox.db",
            "banco do outbox; padrão: EVOLUTION_OUTBOX_STORE, senão outbox.db",
        ),
    )
    options.add_argument(
        "--wait",
        choices=_STATUSES,
        help=t(
            "wait until WhatsApp tells that it got that far",
            "espera até o WhatsApp confirmar que chegou a esse ponto",
        ),
    )
    options.add_argument(
        "--timeout",
        type=duration,
        default=_TIMEOUT,
        metavar=t("TIME", "TEMPO"),
        help=t(
            "longest wait of --wait and --key (%(default)s)",
            "espera máxima de --wait e --key (%(default)s)",
        ),
    )
    add_settings(options, instance=True)
    add_shape(options)
    return options


def main(argv: Sequence[str], *, sleep: Callable[[float], object] = time.sleep) -> int:
    """Send a message.

    Args:
        argv: The arguments after ``send``.
        sleep: Blocks for some seconds.

    Returns:
        The exit code: 0 sent, and as far as was asked for; 1 not, or not in time; 2 a wrong option
        or key; 3 the server or the store fails.
    """
    arguments = parser().parse_args(argv)
    return guarded("send", lambda: _send(arguments, sleep))


def _send(arguments: argparse.Namespace, sleep: Callable[[float], object]) -> int:
    from evolution_sdk import EvolutionClient

    _check(arguments)
    config = settings_of(arguments, instance=arguments.instance)
    if not config.instance:
        raise ConfigurationError(
            t(
                "which instance sends? Name it with --instance, or set EVOLUTION_INSTANCE.",
                "qual instância envia? Indique com --instance, ou defina EVOLUTION_INSTANCE.",
            )
        )
    text = sys.stdin.read().rstrip("\n") if arguments.text == _STDIN else arguments.text
    with EvolutionClient(config=config) as client:
        if arguments.key is None:
            sent: Message = _hand_over(client.messages, arguments, text)
            told: dict[str, Any] = {"id": sent.id, "state": "sent"}
        else:
            from .keyed_send import send_once

            place: str = arguments.store or config.outbox.store.get_secret_value()
            timeout_s = arguments.timeout.total_seconds()
            message = send_once(
                client,
                place,
                lambda messages: _hand_over(messages, arguments, text, key=arguments.key),
                timeout_s=timeout_s,
                sleep=sleep,
            )
            told = {"id": message.message_id, "state": message.state.value, "key": message.key}
            if not message.state.was_sent or message.message_id is None:
                return _not_sent(message, told, arguments)
            sent = _as_message(message)
        return _follow(client, sent, told, arguments)


def _check(arguments: argparse.Namespace) -> None:
    given, named = arguments.text is not None, arguments.file is not None
    if given == named:
        raise ConfigurationError(
            t(
                "give a text, or --file (with --caption for words below it).",
                "indique um texto, ou --file (com --caption para o texto abaixo dele).",
            )
        )
    if arguments.caption is not None and not named:
        raise ConfigurationError(
            t("--caption belongs to --file.", "--caption só vale junto com --file.")
        )
    if arguments.store is not None and arguments.key is None:
        raise ConfigurationError(t("--store belongs to --key.", "--store só vale junto com --key."))


def _hand_over(messages: Any, arguments: argparse.Namespace, text: str, **more: str) -> Any:
    """Send by the client, or hand over to the outbox: both have the same sends."""
    if arguments.file is None:
        return messages.send_text(arguments.number, text, **more)
    file = arguments.file if _URL.match(arguments.file) else Path(arguments.file)
    return messages.send_media(arguments.number, file, caption=arguments.caption, **more)


def _as_message(message: OutboxMessage) -> Message:
    return Message.from_wire(
        {"key": {"id": message.message_id, "remoteJid": message.remote_jid, "fromMe": True}}
    )


def _not_sent(message: OutboxMessage, told: dict[str, Any], arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json({**told, "reason": message.reason})
    why = f": {message.reason}" if message.reason else ""
    words = (
        t(
            f"{message.key!r} is unknown{why}; look at the phone, then: {program()} outbox resolve",
            f"{message.key!r} está em dúvida (unknown){why}; olhe no telefone, depois: "
            f"{program()} outbox resolve",
        )
        if message.state == "unknown"
        else t(
            f"{message.key!r} is {message.state.value}{why}; see: {program()} outbox show",
            f"{message.key!r} está {message.state.value}{why}; veja: {program()} outbox show",
        )
    )
    sys.stderr.write(f"{program()} send: {printable(words)}\n")
    return NO


def _follow(
    client: EvolutionClient, sent: Message, told: dict[str, Any], arguments: argparse.Namespace
) -> int:
    wanted: str | None = arguments.wait
    failed: EvolutionError | None = None
    if wanted is not None:
        try:
            status = client.messages.wait_until(
                sent, _STATUSES[wanted], timeout_ms=arguments.timeout.total_seconds() * 1_000
            )
        except WaitTimeoutError as error:
            # It was sent: this is to be told all the same, and first.
            failed = error
        else:
            told = {**told, "state": wanted, "status": str(status)}
    if arguments.json:
        print_json(told)
    else:
        print_text(f"{told['id']}  {told['state']}")
    if failed is not None:
        words = t(
            f"sent, but not {wanted} in time. Do not send it again. {failed}",
            f"enviada, mas não chegou a {wanted} a tempo. Não envie de novo. {failed}",
        )
        sys.stderr.write(f"{program()} send: {printable(words)}\n")
        return NO
    return DONE

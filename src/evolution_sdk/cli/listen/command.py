"""Options of ``listen``, and its run until a signal."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evolution_sdk._cli.frame import (
    CANNOT,
    DONE,
    CommandParser,
    exit_codes,
    guarded,
    program,
)
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, http_url, settings_of
from evolution_sdk._cli.output import printable
from evolution_sdk._cli.secret_file import read_secret
from evolution_sdk.cli.event_lines import (
    EventPrinter,
    add_end_and_file,
    add_filters,
    filter_of,
    shower,
)
from evolution_sdk.cli.serving import serve
from evolution_sdk.cli.shown_url import shown_url
from evolution_sdk.errors import ConfigurationError, EvolutionError
from evolution_sdk.events import Event, EventRouter
from evolution_sdk.webhooks import WebhookReceiver

from .borrowing import BorrowedWebhook
from .lending import LoanFile, default_folder

if TYPE_CHECKING:
    from evolution_sdk._sync.client import EvolutionClient

__all__ = ["main", "parser"]

_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} listen",
        description=t(
            "Receive an instance's webhook here, print its events, and put the former webhook back "
            "at the end.\nMeanwhile the former one gets nothing. The server signs with a key made "
            "for this run; what is\nnot signed is refused.",
            "Recebe aqui o webhook de uma instância, mostra os eventos e devolve o anterior ao\n"
            "sair. Enquanto isso o anterior não recebe nada. O servidor assina com uma chave\n"
            "feita para esta execução; o que não vem assinado é recusado.",
        ),
        epilog=exit_codes(),
    )
    options.add_argument(
        "--public-url",
        type=http_url,
        metavar="URL",
        help=t(
            "address under which the server reaches this machine, such as that of a tunnel; "
            "default: the local address",
            "endereço pelo qual o servidor chega a esta máquina, como o de um túnel; padrão: o "
            "endereço local",
        ),
    )
    options.add_argument(
        "--host",
        default="127.0.0.1",
        help=t(
            "address to listen on (%(default)s); 0.0.0.0 for a server in Docker",
            "endereço em que escuta (%(default)s); 0.0.0.0 para um servidor em Docker",
        ),
    )
    options.add_argument(
        "--port",
        type=int,
        default=0,
        help=t("port; default: any free one", "porta; padrão: qualquer uma livre"),
    )
    options.add_argument(
        "--secret-file",
        type=Path,
        metavar=t("PATH", "CAMINHO"),
        help=t(
            "file with the jwt_key to sign with; default: a new one for each run",
            "arquivo com a jwt_key da assinatura; padrão: uma nova a cada execução",
        ),
    )
    add_filters(options)
    add_end_and_file(options)
    add_settings(options, instance=True)
    add_shape(options)
    return options


def main(argv: Sequence[str]) -> int:
    """Receive and print until Ctrl-C, SIGTERM or ``--count``; then put the webhook back.

    Args:
        argv: The arguments after ``listen``.

    Returns:
        The exit code: 0 ended and put back, 2 a wrong option, setting or key, 3 the server cannot
        be used, or the webhook could not be put back.
    """
    arguments = parser().parse_args(argv)
    return guarded("listen", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from evolution_sdk._sync.client import EvolutionClient

    config = settings_of(arguments, instance=arguments.instance)
    if config.instance is None:
        raise ConfigurationError(
            t(
                "Which instance? Give --instance, or set EVOLUTION_INSTANCE.",
                "Qual instância? Use --instance ou EVOLUTION_INSTANCE.",
            ),
            variable="EVOLUTION_INSTANCE",
        )
    given = arguments.secret_file
    key = secrets.token_urlsafe(32) if given is None else read_secret(given)
    with EvolutionClient(config=config) as client:
        return _listen(client, config.instance, key, arguments)


def _listen(client: EvolutionClient, instance: str, key: str, arguments: argparse.Namespace) -> int:
    file = LoanFile(default_folder(), client.config.base_url, instance)
    borrowed = BorrowedWebhook(client.instance(instance), file)
    borrowed.look()
    chosen, show = filter_of(arguments, frozenset()), shower(arguments)
    printer = EventPrinter(chosen, show, arguments.count, _end_serving)
    router = EventRouter(name="listen")
    router.add(printer.take, Event)
    receiver = WebhookReceiver(router, jwt_key=key, server_url=client.config.server_url)
    events = [name.replace("-", "_").replace(".", "_").upper() for name in arguments.event]

    with _signals_end_serving() as serving:

        def ready(local: str) -> None:
            serving.set()
            url = arguments.public_url or local
            borrowed.register(url, events, key)
            _tell(*_opening(borrowed, instance, url, local, file))

        try:
            serve(receiver.asgi, arguments.host, arguments.port, ready=ready)
        finally:
            code = _give_back(borrowed, file)
    if printer.error is not None:
        raise printer.error
    return code


def _opening(
    borrowed: BorrowedWebhook, instance: str, url: str, local: str, file: LoanFile
) -> Iterator[str]:
    if borrowed.left_over:
        yield t(
            "an earlier run was killed; the webhook from before it will be put back",
            "uma execução anterior foi morta; o webhook de antes dela será devolvido",
        )
    where = shown_url(url)
    behind = "" if url == local else t(f", here {local}", f", aqui {local}")
    yield t(
        f"{instance}: events come to {where}{behind}; Ctrl-C ends",
        f"{instance}: os eventos chegam em {where}{behind}; Ctrl-C encerra",
    )
    yield t(
        f"former webhook: {borrowed.words()}; it gets nothing meanwhile and is put back at the end",
        f"webhook anterior: {borrowed.words()}; enquanto isso não recebe nada e volta ao sair",
    )
    yield t(
        f"should this be killed, the next evolution listen puts it back, by {file.path}",
        f"se isto for morto, o próximo evolution listen o devolve, com {file.path}",
    )


def _give_back(borrowed: BorrowedWebhook, file: LoanFile) -> int:
    """Put the former webhook back and tell how it went; returns the exit code."""
    try:
        how = borrowed.give_back()
    except EvolutionError as error:
        _tell(
            t(
                f"the former webhook could not be put back ({type(error).__name__}): "
                f"{borrowed.words()}; run evolution listen again, or set it by hand "
                f"(webhook.set). It is kept in {file.path}",
                f"não foi possível devolver o webhook anterior ({type(error).__name__}): "
                f"{borrowed.words()}; rode evolution listen de novo ou configure à mão "
                f"(webhook.set). Está guardado em {file.path}",
            )
        )
        return CANNOT
    if how == "restored":
        _tell(t(f"put back: {borrowed.words()}", f"devolvido: {borrowed.words()}"))
    elif how == "changed":
        _tell(
            t(
                "somebody has registered another webhook meanwhile: it stays",
                "alguém registrou outro webhook nesse meio-tempo: ele fica",
            )
        )
    return DONE


def _tell(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()


def _end_serving() -> None:
    signal.raise_signal(signal.SIGTERM)


@contextlib.contextmanager
def _signals_end_serving() -> Generator[threading.Event]:
    """Let signals end the serving, and nothing else, until the webhook is put back.

    uvicorn takes SIGINT and SIGTERM while it serves, and raises them once more when it is done.

    Yields:
        An event, to be set once uvicorn serves; before, a signal is a KeyboardInterrupt.
    """
    serving = threading.Event()

    def end(number: int, _frame: object) -> None:
        if not serving.is_set():
            raise KeyboardInterrupt
        if number not in _ENDS:  # a terminal that was closed
            _end_serving()

    if threading.current_thread() is not threading.main_thread():
        yield serving
        return
    taken = [*_ENDS, *(each for each in (getattr(signal, "SIGHUP", None),) if each is not None)]
    before = {each: signal.signal(each, end) for each in taken}
    try:
        yield serving
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

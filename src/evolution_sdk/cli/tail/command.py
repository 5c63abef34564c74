"""Options of ``tail``, and its run until enough was seen or a signal comes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._cli.frame import DONE, CommandParser, exit_codes, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, settings_of
from evolution_sdk._cli.output import printable
from evolution_sdk.cli.event_lines import (
    EventPrinter,
    add_end_and_file,
    add_filters,
    filter_of,
    shower,
)
from evolution_sdk.cli.quiet import quiet_logs
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import ConfigurationError, EvolutionError
from evolution_sdk.streams import (
    EventsDropped,
    InstanceStreams,
    SocketStream,
    Stream,
    StreamConnected,
    StreamState,
)
from evolution_sdk.streams._consumer import EventConsumer

from .queue_copies import QueueCopies

if TYPE_CHECKING:
    from evolution_sdk._sync.client import EvolutionClient

__all__ = ["main", "parser"]

_ASK_MS: Final = 10_000.0
_MOST_ASKED: Final = 20


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} tail",
        description=t(
            "Print events as they come, until Ctrl-C. Texts of messages are shown; keys, tokens, "
            "QR codes and files never.",
            "Mostra os eventos ao vivo, até Ctrl-C. O texto das mensagens aparece; chaves, tokens, "
            "QR codes e arquivos, nunca.",
        ),
        epilog=exit_codes(),
    )
    options.add_argument(
        "--by",
        choices=("socket", "rabbitmq"),
        help=t(
            "the way; default: rabbitmq where EVOLUTION_RABBITMQ_URI is set and the socket is not "
            "switched on, else socket. By rabbitmq copies are read: no queue loses anything",
            "o caminho; padrão: rabbitmq se EVOLUTION_RABBITMQ_URI existe e o socket não está "
            "ligado, senão socket. Pelo rabbitmq lê-se uma cópia: nenhuma fila perde nada",
        ),
    )
    options.add_argument(
        "--instance",
        action="append",
        metavar=t("NAME", "NOME"),
        help=t(
            "only this instance; repeatable; default: EVOLUTION_INSTANCE, else all",
            "só esta instância; pode repetir; padrão: EVOLUTION_INSTANCE, senão todas",
        ),
    )
    add_filters(options)
    add_end_and_file(options)
    add_settings(options)
    add_shape(options)
    return options


def main(argv: Sequence[str]) -> int:
    """Print events until Ctrl-C, SIGTERM or ``--count``.

    Args:
        argv: The arguments after ``tail``.

    Returns:
        The exit code: 0 ended as asked, 2 a wrong option, setting or key, 3 no server or broker.
    """
    arguments = parser().parse_args(argv)
    return guarded("tail", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    named: list[str] = arguments.instance or []
    config = settings_of(arguments, instance=named[0] if named else None)
    by = arguments.by or _usual(config)
    wanted = named or ([config.instance] if config.instance else [])
    chosen = filter_of(arguments, frozenset(wanted))
    over, told = asyncio.Event(), _States().told
    printer = EventPrinter(chosen, shower(arguments), arguments.count, over.set)
    consumer = EventConsumer(printer.take, server_url=config.server_url)
    if by == "socket":
        _check(config, wanted)
        streams = _sockets(config, consumer, wanted, told)
    else:
        streams = _queues(config, consumer, wanted, told)
    with quiet_logs():
        asyncio.run(_until_over(streams, printer, over))
    if printer.error is not None:
        raise printer.error
    return DONE


def _usual(config: EvolutionConfig) -> str:
    return "rabbitmq" if config.rabbitmq.uri and not config.websocket.enabled else "socket"


class _States:
    """Tells states of streams on stderr."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def told(self, state: StreamState) -> None:
        """Tell a change of a stream, the same one once in a row."""
        words = _state_words(state)
        if self._said.get(state.stream) != words:
            self._said[state.stream] = words
            sys.stderr.write(f"{printable(words)}\n")
            sys.stderr.flush()


def _state_words(state: StreamState) -> str:
    name = state.stream
    if isinstance(state, StreamConnected):
        if state.missing_since is None:
            return t(f"{name}: connected", f"{name}: conectado")
        since = f"{state.missing_since:%H:%M:%S} UTC"
        return t(
            f"{name}: connected again; events since {since} may be missing",
            f"{name}: conectado de novo; podem faltar eventos desde {since}",
        )
    if isinstance(state, EventsDropped):
        return t(f"{name}: events were dropped", f"{name}: eventos foram descartados")
    if state.quiet:
        return t(
            f"{name}: waits for the first event of the instance",
            f"{name}: espera o primeiro evento da instância",
        )
    if state.retry_in_ms is None:
        return t(f"{name}: ended", f"{name}: terminou")
    return t(
        f"{name}: {state.reason}; it is tried again",
        f"{name}: sem conexão ({state.reason}); nova tentativa em instantes",
    )


def _check(config: EvolutionConfig, wanted: Sequence[str]) -> None:
    """Ask the server once, so that a wrong address or key is told at once and in plain words.

    Raises:
        EvolutionError: The server cannot be used, or has no such instance.
    """
    from evolution_sdk._sync.client import EvolutionClient

    with EvolutionClient(config=config) as client:
        names = wanted
        if not wanted:
            rows = client.instances.fetch(retry=False, timeout_ms=_ASK_MS)
            names = [row.name for row in rows if row.name][:_MOST_ASKED]
        for name in wanted:
            client.instances.connection_state(name, retry=False, timeout_ms=_ASK_MS)
        off = [] if config.websocket.global_events else [n for n in names if _is_off(client, n)]
    if off:
        told = printable(", ".join(off))
        sys.stderr.write(
            t(
                f"the socket is switched off for {told}: nothing comes until it is switched on "
                "(client.websocket.set)\n",
                f"o socket está desligado em {told}: nada chega até ser ligado "
                "(client.websocket.set)\n",
            )
        )


def _is_off(client: EvolutionClient, name: str) -> bool:
    try:
        found = client.instance(name).websocket.find(retry=False, timeout_ms=_ASK_MS)
    except EvolutionError:
        return False  # a key that may not ask may still listen
    return found is None or not found.enabled


def _names_of(config: EvolutionConfig) -> Callable[[], Awaitable[Iterable[str]]]:
    from evolution_sdk._sync.client import EvolutionClient

    def fetch() -> list[str]:
        with EvolutionClient(config=config) as client:
            rows = client.instances.fetch(retry=False, timeout_ms=_ASK_MS)
            return [row.name for row in rows if row.name]

    async def names() -> list[str]:
        return await asyncio.to_thread(fetch)

    return names


def _sockets(
    config: EvolutionConfig, consumer: EventConsumer, wanted: Sequence[str], told: Any
) -> Callable[[], list[Stream]]:
    def socket(name: str | None = None) -> Stream:
        return SocketStream.from_config(consumer, config, instance=name, on_state=told)

    def make() -> list[Stream]:
        if config.websocket.global_events:
            return [socket()]
        if wanted:
            return [socket(name) for name in wanted]
        return [InstanceStreams(consumer, _names_of(config), socket, name="sockets")]

    return make


def _queues(
    config: EvolutionConfig, consumer: EventConsumer, wanted: Sequence[str], told: Any
) -> Callable[[], list[Stream]]:
    section = config.rabbitmq
    if section.uri is None:
        raise ConfigurationError(
            t(
                "RabbitMQ needs EVOLUTION_RABBITMQ_URI, such as amqp://user:password@host:5672/",
                "o RabbitMQ precisa de EVOLUTION_RABBITMQ_URI, como "
                "amqp://usuario:senha@host:5672/",
            ),
            variable="EVOLUTION_RABBITMQ_URI",
        )
    uri = section.uri

    def copies(*exchanges: str) -> Stream:
        return QueueCopies(consumer, uri, exchanges, name="rabbitmq", on_state=told)

    def make() -> list[Stream]:
        if section.global_enabled:
            return [copies(section.exchange_name)]
        if wanted:
            return [copies(*wanted)]
        return [InstanceStreams(consumer, _names_of(config), copies, name="queues")]

    return make


async def _until_over(
    make: Callable[[], list[Stream]], printer: EventPrinter, over: asyncio.Event
) -> None:
    """Run streams until enough was seen or a signal comes.

    Raises:
        EvolutionError: A stream ended by itself: its key is refused, or its extra is missing.
    """
    loop = asyncio.get_running_loop()
    streams = make()
    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt ends it
                loop.add_signal_handler(each, printer.stop)
    running = {asyncio.ensure_future(stream.run()) for stream in streams}
    waiting = asyncio.ensure_future(over.wait())
    try:
        ended, _ = await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        waiting.cancel()
        for stream in streams:
            stream.stop()
        await asyncio.gather(waiting, *running, return_exceptions=True)

"""``evolution console``: the live console, in a process of its own."""

from __future__ import annotations

import argparse
import ipaddress
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from evolution_sdk._cli.frame import DONE, CommandParser, guarded, program
from evolution_sdk._cli.language import current, t
from evolution_sdk._cli.options import add_settings, settings_of
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk._cli.secret_file import read_stripped
from evolution_sdk.config import EvolutionConfig

from .serving import serve

__all__ = ["main", "parser"]

_PORT: Final = 8099
_RANDOM_BYTES: Final = 24


def parser() -> argparse.ArgumentParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} console",
        description=t(
            "Serve the live console: one page about health, delivery, outbox and alerts.",
            "Abre o painel ao vivo: uma página com saúde, entrega, outbox e alertas.",
        ),
    )
    options.add_argument(
        "--host",
        default="127.0.0.1",
        help=t(
            "address to listen on; default: 127.0.0.1, this machine only",
            "endereço em que escuta; padrão: 127.0.0.1, só esta máquina",
        ),
    )
    options.add_argument(
        "--port",
        type=int,
        default=_PORT,
        help=t("port; default: 8099; 0: any free one", "porta; padrão: 8099; 0: qualquer livre"),
    )
    options.add_argument(
        "--token-file",
        type=Path,
        metavar="PATH",
        help=t(
            "file with the token that opens the page; default: EVOLUTION_CONSOLE_TOKEN, else a new "
            "one, printed once",
            "arquivo com o token que abre a página; padrão: EVOLUTION_CONSOLE_TOKEN, senão um "
            "novo, mostrado uma vez",
        ),
    )
    options.add_argument(
        "--actions",
        action="store_true",
        help=t(
            "let the page act: settle the outbox, link phones; it shows QR codes then",
            "permite agir pela página: resolver mensagens do outbox, conectar telefones; mostra QR "
            "codes",
        ),
    )
    options.add_argument(
        "--instance",
        action="append",
        metavar="NAME",
        help=t(
            "an instance to watch, repeatable; default: the settings, else all",
            "uma instância a acompanhar, repetível; padrão: as configurações, senão todas",
        ),
    )
    options.add_argument(
        "--outbox",
        metavar="PLACE",
        help=t(
            "an outbox to show: a SQLite file or a postgresql:// URL",
            "um outbox a mostrar: arquivo SQLite ou URL postgresql://",
        ),
    )
    options.add_argument(
        "--inbox",
        type=Path,
        metavar="PATH",
        help=t(
            "the SQLite file of a receiver to show, which is only read",
            "o arquivo SQLite de um receptor a mostrar, que é somente lido",
        ),
    )
    options.add_argument(
        "--history-path",
        metavar="PATH",
        help=t(
            "SQLite file that keeps measurements and uptime over restarts; default: the settings",
            "arquivo SQLite que guarda medições e disponibilidade; padrão: as configurações",
        ),
    )
    options.add_argument(
        "--json",
        action="store_true",
        help=t("print the address as JSON", "mostra o endereço em JSON"),
    )
    add_settings(options)
    return options


def main(argv: Sequence[str], *, serve: Callable[..., None] = serve) -> int:
    """Serve until interrupted.

    Args:
        argv: The arguments after ``console``.
        serve: Serves an app; replaced by tests.

    Returns:
        The exit code.
    """
    arguments = parser().parse_args(argv)
    return guarded("console", lambda: _run(arguments, serve))


def _run(arguments: argparse.Namespace, serve: Callable[..., None]) -> int:
    config = settings_of(arguments)
    token, is_new = _token(arguments.token_file, config)
    with ExitStack() as stack:
        app = _console(stack, arguments, config, token)

        def ready(url: str) -> None:
            _tell(arguments, url, token if is_new else None)

        serve(app, arguments.host, arguments.port, ready=ready)
    return DONE


def _console(
    stack: ExitStack, arguments: argparse.Namespace, config: EvolutionConfig, token: str
) -> Any:
    """Make the console, and all that it shows."""
    from evolution_sdk import EvolutionClient
    from evolution_sdk.monitor import EvolutionConsole, EvolutionMonitorService
    from evolution_sdk.outbox import Outbox

    from .inbox_file import InboxFile

    client = stack.enter_context(EvolutionClient(config=config))
    outbox = None
    if arguments.outbox is not None:
        outbox = Outbox(arguments.outbox, client=client)
        stack.callback(outbox.close)
    history = config.monitoring.history
    if arguments.history_path is not None:
        history = history.replace(path=arguments.history_path)
    monitor = stack.enter_context(
        EvolutionMonitorService(
            client,
            instances=arguments.instance or config.monitoring.instances or config.instance or "*",
            history=history,
            # The program that runs the business sends the alerts, and brings instances back.
            sinks=(),
            recovery=False,
            outbox=outbox,
        )
    )
    console = EvolutionConsole(
        monitor,
        outbox=outbox,
        receiver=None if arguments.inbox is None else InboxFile(arguments.inbox),
        token=token,
        actions=arguments.actions,
        language="pt" if current() == "pt" else None,
    )
    stack.callback(console.close)
    monitor.start_monitoring()
    return console


def _token(file: Path | None, config: EvolutionConfig) -> tuple[str, bool]:
    """Return the token, and whether it was made just now."""
    if file is not None:
        return read_stripped(file, "--token-file"), False
    if config.console.token is not None:
        return config.console.token.get_secret_value(), False
    return secrets.token_urlsafe(_RANDOM_BYTES), True


def _tell(arguments: argparse.Namespace, url: str, token: str | None) -> None:
    # After the "#" it stays in the browser: neither servers nor proxies see it.
    address = f"{url}/" if token is None else f"{url}/#token={token}"
    if arguments.json:
        print_json({"url": f"{url}/", "token": token, "actions": arguments.actions})
    else:
        print_text(t(f"The console is at {address}", f"O painel está em {address}"))
        print_text(t("Ctrl-C ends it.", "Ctrl-C encerra."))
    if not _is_local(arguments.host):
        words = t(
            "others on the network can reach it, and nothing encrypts the way: put a proxy with "
            "TLS before it",
            "outros na rede podem acessar, e nada cifra o caminho: coloque um proxy com TLS na "
            "frente",
        )
        sys.stderr.write(f"{program()} console: {words}\n")


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

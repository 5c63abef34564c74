"""The command ``python -m evolution_sdk fake-server``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress

from evolution_sdk._base.json_types import is_object
from evolution_sdk._cli.frame import DONE, CommandParser, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.listening import cannot_listen
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.operations.server_version import SUPPORTED

from .fake.evolution import FakeEvolution
from .fake.js import JsonObject
from .fake.state import BAILEYS, CHANNELS, ServerOptions
from .fake.versions import DEVELOP

_MESSAGES = ("messages.upsert", "send.message")


def parser() -> CommandParser:
    """Make the parser of the command's options."""
    options = CommandParser(
        prog=f"{program()} fake-server",
        description=t(
            "Run a fake Evolution API server for tests and demos.",
            "Roda um servidor Evolution API falso, para testes e demonstrações.",
        ),
    )
    options.add_argument(
        "--host",
        default="127.0.0.1",
        help=t("address to listen on (%(default)s)", "endereço onde escutar (%(default)s)"),
    )
    options.add_argument(
        "--port",
        type=int,
        default=8080,
        help=t(
            "port to listen on, 0 for a free one (%(default)s)",
            "porta onde escutar, 0 para uma livre (%(default)s)",
        ),
    )
    options.add_argument(
        "--api-key", required=True, help=t("the global key", "a chave global do servidor")
    )
    options.add_argument(
        "--seed",
        type=int,
        default=0,
        help=t(
            "seed of ids and fault probabilities (%(default)s)",
            "semente dos ids e das falhas ao acaso (%(default)s)",
        ),
    )
    options.add_argument(
        "--server-version",
        default=ServerOptions().version,
        metavar=t("VERSION", "VERSÃO"),
        help=t(
            f"the version to play: {', '.join(SUPPORTED)} or {DEVELOP} (%(default)s)",
            f"a versão a imitar: {', '.join(SUPPORTED)} ou {DEVELOP} (%(default)s)",
        ),
    )
    options.add_argument(
        "--real-delays",
        action="store_true",
        help=t("really wait for delays", "espera de verdade os atrasos pedidos"),
    )
    options.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar=t("NAME[:INTEGRATION]", "NOME[:INTEGRAÇÃO]"),
        help=t(
            f"an open instance to start with, repeatable; one of {', '.join(CHANNELS)}",
            f"uma instância já conectada, repetível; integração: {', '.join(CHANNELS)}",
        ),
    )
    options.add_argument(
        "--json",
        action="store_true",
        help=t(
            'print {"url": …} as JSON once it listens',
            'mostra {"url": …} em JSON assim que escuta',
        ),
    )
    return options


def build(arguments: argparse.Namespace) -> FakeEvolution:
    """Make the fake that the options describe.

    Raises:
        ConfigurationError: An instance has an unknown integration or a repeated name, or the
            version is none.
    """
    fake = FakeEvolution(
        api_key=arguments.api_key,
        seed=arguments.seed,
        real_delays=arguments.real_delays,
        version=arguments.server_version,
    )
    for text in arguments.instance:
        name, _, integration = text.partition(":")
        try:
            fake.create_instance(name, integration=integration or BAILEYS)
        except ValueError as wrong:
            raise ConfigurationError(f"--instance {text}: {wrong}") from None
    return fake


def main(argv: Sequence[str]) -> int:
    """Serve until interrupted.

    Args:
        argv: The arguments after ``fake-server``.

    Returns:
        The exit code: 0 when it is interrupted; 2 for a wrong option or a port that is taken, or
        when uvicorn is missing.
    """
    arguments = parser().parse_args(argv)
    return guarded("fake-server", lambda: _serve(arguments))


def _serve(arguments: argparse.Namespace) -> int:
    def ready(url: str) -> None:
        if arguments.json:
            print_json({"url": url})
        else:
            print_text(
                t(
                    f"a fake Evolution API {arguments.server_version} listens at {url}; "
                    "Ctrl-C ends it",
                    f"uma Evolution API {arguments.server_version} falsa escuta em {url}; "
                    "Ctrl-C encerra",
                )
            )

    fake = build(arguments)
    if not arguments.json:
        fake.on_event(_tell)
    try:
        fake.serve_forever(arguments.host, arguments.port, ready=ready)
    except KeyboardInterrupt:
        return DONE
    except OSError as error:
        raise cannot_listen(arguments.host, arguments.port, error) from None
    return DONE


def _tell(event: JsonObject) -> None:
    """Print a line for a message: who, to whom, of which type; never its text."""
    data = event.get("data")
    key = data.get("key") if is_object(data) else None
    if event.get("event") not in _MESSAGES or not is_object(data) or not is_object(key):
        return
    arrow = "→" if key.get("fromMe") else "←"
    line = f"{event.get('instance')} {arrow} {key.get('remoteJid')}: {data.get('messageType')}"
    # Whoever reads may be gone; the request that sent the message goes on.
    with suppress(OSError, ValueError):
        print_text(line)

"""The command ``python -m evolution_sdk fake-server``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evolution_sdk._cli.frame import program
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.operations.server_version import SUPPORTED

from .fake.evolution import FakeEvolution
from .fake.state import BAILEYS, CHANNELS, ServerOptions
from .fake.versions import DEVELOP


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command's options."""
    options = argparse.ArgumentParser(
        prog=f"{program()} fake-server",
        description="Run a fake Evolution API server for tests and demos.",
    )
    options.add_argument("--host", default="127.0.0.1", help="address to listen on")
    options.add_argument("--port", type=int, default=8080, help="port to listen on")
    options.add_argument("--api-key", required=True, help="the global key")
    options.add_argument("--seed", type=int, default=0, help="seed of ids and fault probabilities")
    options.add_argument(
        "--server-version",
        default=ServerOptions().version,
        metavar="VERSION",
        help=f"the version to play: {', '.join(SUPPORTED)} or {DEVELOP} (%(default)s)",
    )
    options.add_argument("--real-delays", action="store_true", help="really wait for delays")
    options.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar="NAME[:INTEGRATION]",
        help=f"an open instance to start with; one of {', '.join(CHANNELS)}",
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
        The exit status; 2 for a wrong instance, or when uvicorn is missing.
    """
    arguments = parser().parse_args(argv)
    try:
        build(arguments).serve_forever(arguments.host, arguments.port)
    except ConfigurationError as wrong:
        # One line without a traceback, as argparse reports its own errors.
        sys.stderr.write(f"{program()} fake-server: {wrong}\n")
        return 2
    return 0

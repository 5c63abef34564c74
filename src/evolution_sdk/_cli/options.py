"""Options that many commands share, and the settings they lead to."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import ConfigurationError

from .language import t
from .secret_file import read_secret

__all__ = [
    "add_folder",
    "add_settings",
    "add_shape",
    "add_show_numbers",
    "duration",
    "http_url",
    "moment",
    "settings_of",
    "whole_number",
]

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"(\d{1,9})([smhdw])")
# For commands that talk to no server; such a name leads nowhere (RFC 2606).
_NO_SERVER: Final = {"base_url": "http://no-server.invalid", "api_key": "none"}
_KEY: Final = ("the key", "a chave")
_VARIABLES: Final = {"EVOLUTION_API_URL": "base_url", "EVOLUTION_API_KEY": "api_key"}


def add_settings(options: argparse.ArgumentParser, *, instance: bool = False) -> None:
    """Add the options that say which server, and where the settings are.

    Args:
        options: The parser.
        instance: True to add ``--instance``, too; give it to :func:`settings_of`.
    """
    options.add_argument(
        "--url",
        help=t(
            "URL of the server; default: EVOLUTION_API_URL",
            "URL do servidor; padrão: EVOLUTION_API_URL",
        ),
    )
    options.add_argument(
        "--api-key-file",
        type=Path,
        metavar=t("PATH", "CAMINHO"),
        help=t(
            "file with the server's key; default: EVOLUTION_API_KEY",
            "arquivo com a chave do servidor; padrão: EVOLUTION_API_KEY",
        ),
    )
    options.add_argument(
        "--env-file",
        type=Path,
        default=Path(".env"),
        metavar=t("PATH", "CAMINHO"),
        help=t(
            "file with settings, behind those of the environment; default: .env, if there is one",
            "arquivo de configurações; as do ambiente valem mais; padrão: .env, se existir",
        ),
    )
    if instance:
        options.add_argument(
            "--instance",
            metavar=t("NAME", "NOME"),
            help=t(
                "the instance; default: EVOLUTION_INSTANCE",
                "a instância; padrão: EVOLUTION_INSTANCE",
            ),
        )


def add_shape(options: argparse.ArgumentParser) -> None:
    """Add ``--json``.

    Args:
        options: The parser.
    """
    options.add_argument(
        "--json",
        action="store_true",
        help=t("print JSON instead of text", "mostra JSON em vez de texto"),
    )


def add_show_numbers(options: argparse.ArgumentParser) -> None:
    """Add ``--show-numbers``.

    Args:
        options: The parser.
    """
    options.add_argument(
        "--show-numbers",
        action="store_true",
        help=t(
            "show phone numbers whole; default: masked",
            "mostra os telefones inteiros; padrão: mascarados",
        ),
    )


def add_folder(options: argparse.ArgumentParser) -> None:
    """Add the folder that files are written to.

    Args:
        options: The parser.
    """
    options.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar=t("FOLDER", "PASTA"),
        help=t("where to; default: here", "para onde; padrão: aqui"),
    )


def settings_of(
    arguments: argparse.Namespace, *, instance: str | None = None, needs_server: bool = True
) -> EvolutionConfig:
    """Return the settings in force.

    Args:
        arguments: The parsed options, with those of :func:`add_settings`.
        instance: The instance instead of ``EVOLUTION_INSTANCE``.
        needs_server: False if the command never talks to the server: URL and key may be missing.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    given: dict[str, str] = {}
    if arguments.url is not None:
        given["base_url"] = arguments.url
    if arguments.api_key_file is not None:
        given["api_key"] = read_secret(arguments.api_key_file, "--api-key-file", _KEY)
    env_file: Path = arguments.env_file
    while True:
        try:
            return EvolutionConfig.from_env(
                env_file,
                base_url=given.get("base_url"),
                api_key=given.get("api_key"),
                instance=instance,
            )
        except ConfigurationError as error:
            missing = _VARIABLES.get(error.variable or "")
            if needs_server or missing is None or missing in given:
                raise
            given[missing] = _NO_SERVER[missing]


def duration(text: str) -> timedelta:
    """Read a length of time, for argparse: ``45s``, ``10m``, ``2h``, ``30d`` or ``4w``.

    Args:
        text: The words.

    Raises:
        argparse.ArgumentTypeError: They are no length of time.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(
            t(
                f"{text!r} is no length of time; write 45s, 10m, 2h, 30d or 4w",
                f"{text!r} não é uma duração; escreva 45s, 10m, 2h, 30d ou 4w",
            )
        )
    try:
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    except OverflowError:
        raise argparse.ArgumentTypeError(
            t(f"{text!r} is too long", f"{text!r} é longo demais")
        ) from None


def moment(text: str) -> datetime:
    """Read a time, for argparse: so long ago, as :func:`duration` reads it, or in ISO 8601.

    Args:
        text: The words, such as ``2h`` or ``2026-11-28T09:00-03:00``.

    Returns:
        An aware time.

    Raises:
        argparse.ArgumentTypeError: They are no time, or one without its time zone.
    """
    if _DURATION.fullmatch(text.strip()):
        try:
            return datetime.now(UTC) - duration(text)
        except OverflowError:
            raise argparse.ArgumentTypeError(
                t(f"{text!r} is too long ago", f"{text!r} é antigo demais")
            ) from None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise argparse.ArgumentTypeError(
            t(
                f"{text!r} is no time; write 2h for two hours ago, or 2026-11-28T09:00+00:00",
                f"{text!r} não é um horário; escreva 2h (há duas horas) ou 2026-11-28T09:00-03:00",
            )
        )
    return at


def whole_number(text: str) -> int:
    """Read a whole number of 1 or more, for argparse.

    Args:
        text: The words.

    Raises:
        argparse.ArgumentTypeError: They are none.
    """
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            t(
                f"{text!r} is no whole number of 1 or more",
                f"{text!r} não é um número inteiro a partir de 1",
            )
        )
    return int(text)


def http_url(text: str) -> str:
    """Read an http(s) URL, for argparse.

    Args:
        text: The words.

    Raises:
        argparse.ArgumentTypeError: They are none.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(t("it must be an http(s) URL", "deve ser uma URL http(s)"))
    return text

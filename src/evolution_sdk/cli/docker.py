"""``docker``: writes a compose.yaml with the server and its databases, and a matching .env."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from evolution_sdk._base.yaml_text import yaml_lines
from evolution_sdk._cli.frame import DONE, NO, CommandParser, guarded, program
from evolution_sdk._cli.language import current, t
from evolution_sdk._cli.options import add_folder, add_shape
from evolution_sdk._cli.output import print_json, print_text

from .existing import existing, tell_existing

__all__ = ["SERVER_VERSION", "compose", "main", "parser", "settings"]

SERVER_VERSION: Final = "2.3.7"
"""The server that is written down: the newest without a licence to activate."""

_IMAGE: Final = f"evoapicloud/evolution-api:v{SERVER_VERSION}"
_FILES: Final = ("compose.yaml", ".env")
_PRIVATE: Final = 0o600
_DATABASE: Final = "evolution"


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} docker",
        description=t(
            f"Write a compose.yaml with Evolution API {SERVER_VERSION}, PostgreSQL and Redis, and "
            "a .env with fresh keys, which this SDK reads, too.",
            f"Grava um compose.yaml com a Evolution API {SERVER_VERSION}, PostgreSQL e Redis, e um "
            ".env com chaves novas, que este SDK também lê.",
        ),
    )
    add_folder(options)
    options.add_argument(
        "--port",
        type=_port,
        default=8080,
        metavar=t("PORT", "PORTA"),
        help=t(
            "port of the server on this machine (%(default)s)",
            "porta do servidor nesta máquina (%(default)s)",
        ),
    )
    options.add_argument(
        "--instance",
        default="main",
        metavar=t("NAME", "NOME"),
        help=t(
            "the instance that the SDK takes by default (%(default)s)",
            "a instância que o SDK usa por padrão (%(default)s)",
        ),
    )
    add_shape(options)
    return options


def main(argv: Sequence[str]) -> int:
    """Write the files.

    Args:
        argv: The arguments after ``docker``.

    Returns:
        The exit code: 0 written, 1 a file is there already, 2 a wrong option, 3 they cannot be
        written.
    """
    arguments = parser().parse_args(argv)
    return guarded("docker", lambda: _write(arguments))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(
            t(f"{text!r} is no port: 1 to 65535", f"{text!r} não é uma porta: 1 a 65535")
        )
    return int(text)


def _write(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    there = existing(folder, _FILES)
    if there:
        # Never overwritten: a new key, or a new password, would lock out what is running.
        tell_existing(there, ", and left as it is", " e fica como está", as_json=arguments.json)
        return NO
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILES[0]).write_text(compose(current()), "utf-8")
    _write_private(folder / _FILES[1], settings(arguments.port, arguments.instance))
    if arguments.json:
        print_json({"written": [str(folder / name) for name in _FILES], "port": arguments.port})
        return DONE
    print_text(
        *(str(folder / name) for name in _FILES),
        t(
            f"Next: docker compose up -d --wait, then {program()} doctor, then {program()} connect",
            f"A seguir: docker compose up -d --wait, {program()} doctor e {program()} connect",
        ),
    )
    return DONE


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, from its first moment on."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)


def settings(port: int, instance: str) -> str:
    """Make the .env: what compose puts into the server, and what the SDK reads.

    Args:
        port: Port of the server on this machine.
        instance: The instance that the SDK takes by default.
    """
    lines = (
        t(
            "# Read by docker compose and by evolution-sdk. Keep it to yourself.",
            "# Lido pelo docker compose e pelo evolution-sdk. Guarde só para você.",
        ),
        f"EVOLUTION_API_URL=http://localhost:{port}",
        t(
            "# The server's global key: who has it can do anything with every instance.",
            "# A chave global do servidor: quem a tem pode tudo em todas as instâncias.",
        ),
        f"EVOLUTION_API_KEY={secrets.token_hex(24)}",
        f"EVOLUTION_INSTANCE={json.dumps(instance) if not instance.isalnum() else instance}",
        "",
        f"SERVER_HOST_PORT={port}",
        f"POSTGRES_PASSWORD={secrets.token_hex(24)}",
    )
    return "".join(f"{line}\n" for line in lines)


def compose(language: str) -> str:
    """Make the compose.yaml.

    Args:
        language: Language of the server's own pages, and of the comments.
    """
    head = t(
        f"# Evolution API {SERVER_VERSION} with its databases; passwords and ports are in .env.\n"
        "# The server keeps messages, because evolution-sdk looks lost sends up there.\n",
        f"# Evolution API {SERVER_VERSION} com seus bancos; senhas e portas estão no .env.\n"
        "# O servidor guarda as mensagens: é ali que o evolution-sdk procura envios perdidos.\n",
    )
    return head + "".join(yaml_lines(_services(language)))


def _services(language: str) -> dict[str, Any]:
    uri = f"postgresql://{_DATABASE}:${{POSTGRES_PASSWORD}}@postgres:5432/{_DATABASE}"
    return {
        "name": "evolution",
        "services": {
            "api": {
                "image": _IMAGE,
                "restart": "unless-stopped",
                # Reached from this machine only; a proxy with TLS belongs in front of it elsewhere.
                "ports": ["127.0.0.1:${SERVER_HOST_PORT}:8080"],
                "environment": {
                    "SERVER_URL": "http://localhost:${SERVER_HOST_PORT}",
                    "AUTHENTICATION_API_KEY": "${EVOLUTION_API_KEY}",
                    "AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES": "false",
                    "DATABASE_PROVIDER": "postgresql",
                    "DATABASE_CONNECTION_URI": uri,
                    "DATABASE_CONNECTION_CLIENT_NAME": "evolution",
                    "DATABASE_SAVE_DATA_INSTANCE": "true",
                    "DATABASE_SAVE_DATA_NEW_MESSAGE": "true",
                    "DATABASE_SAVE_MESSAGE_UPDATE": "true",
                    "DATABASE_SAVE_DATA_CONTACTS": "true",
                    "DATABASE_SAVE_DATA_CHATS": "true",
                    "DATABASE_SAVE_DATA_LABELS": "true",
                    "DATABASE_SAVE_DATA_HISTORIC": "true",
                    "CACHE_REDIS_ENABLED": "true",
                    "CACHE_REDIS_URI": "redis://redis:6379/0",
                    "CACHE_REDIS_PREFIX_KEY": "evolution",
                    "CACHE_LOCAL_ENABLED": "false",
                    "WEBSOCKET_ENABLED": "true",
                    "WEBHOOK_GLOBAL_ENABLED": "false",
                    "RABBITMQ_ENABLED": "false",
                    "TELEMETRY_ENABLED": "false",
                    "DEL_INSTANCE": "false",
                    "LOG_LEVEL": "ERROR,WARN,INFO",
                    "LOG_COLOR": "false",
                    "LANGUAGE": "pt-BR" if language == "pt" else "en",
                },
                # For webhooks to a program on this machine: http://host.docker.internal:PORT.
                "extra_hosts": ["host.docker.internal:host-gateway"],
                "volumes": ["instances:/evolution/instances"],
                "depends_on": {
                    "postgres": {"condition": "service_healthy"},
                    "redis": {"condition": "service_healthy"},
                },
                "healthcheck": _check("wget -q -O /dev/null http://127.0.0.1:8080/", start="60s"),
            },
            "postgres": {
                "image": "postgres:16-alpine",
                "restart": "unless-stopped",
                "environment": {
                    "POSTGRES_USER": _DATABASE,
                    "POSTGRES_DB": _DATABASE,
                    "POSTGRES_PASSWORD": "${POSTGRES_PASSWORD}",
                },
                "volumes": ["postgres:/var/lib/postgresql/data"],
                "healthcheck": _check(f"pg_isready -U {_DATABASE}", start="30s"),
            },
            "redis": {
                "image": "redis:7-alpine",
                "restart": "unless-stopped",
                "command": ["redis-server", "--appendonly", "yes"],
                "volumes": ["redis:/data"],
                "healthcheck": _check("redis-cli ping", start="10s"),
            },
        },
        "volumes": {"instances": {}, "postgres": {}, "redis": {}},
    }


def _check(command: str, *, start: str) -> dict[str, Any]:
    return {
        "test": ["CMD-SHELL", command],
        "interval": "10s",
        "timeout": "5s",
        "retries": 6,
        "start_period": start,
    }

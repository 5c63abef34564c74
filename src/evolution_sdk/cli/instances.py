"""``instances``: lists the instances of a server."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._base.redact import mask_phone
from evolution_sdk._cli.colour import STATES
from evolution_sdk._cli.frame import DONE, CommandParser, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, add_show_numbers, settings_of
from evolution_sdk._cli.output import print_json, print_table, print_text
from evolution_sdk.errors import (
    ChannelNotSupportedError,
    EvolutionError,
    InstanceNotConnectedError,
)
from evolution_sdk.models.instance import ConnectionStatus, InstanceInfo

if TYPE_CHECKING:
    from evolution_sdk import EvolutionClient

__all__ = ["main", "owner_phone", "parser"]

_CHECK_TIMEOUT_MS: Final = 5_000


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} instances",
        description=t(
            "List the instances of the server, or the one of an instance's own key.",
            "Lista as instâncias do servidor, ou a da chave de uma instância.",
        ),
    )
    options.add_argument(
        "--check",
        action="store_true",
        help=t(
            "ask each for its state now, and find out whether its socket works; this sets the "
            "account to unavailable, so that its phone goes on ringing",
            "pergunta a cada uma o estado atual, e descobre se o socket funciona; isso põe a conta "
            "como indisponível, e o telefone continua notificando",
        ),
    )
    add_show_numbers(options)
    add_settings(options)
    add_shape(options)
    return options


def main(argv: Sequence[str]) -> int:
    """List the instances.

    Args:
        argv: The arguments after ``instances``.

    Returns:
        The exit code: 0 listed, 2 a wrong option or key, 3 the server fails.
    """
    arguments = parser().parse_args(argv)
    return guarded("instances", lambda: _instances(arguments))


def _instances(arguments: argparse.Namespace) -> int:
    from evolution_sdk import EvolutionClient

    with EvolutionClient(config=settings_of(arguments)) as client:
        found = sorted(client.instances.fetch(), key=lambda row: row.name)
        rows = [
            _row(client, info, check=arguments.check, whole=arguments.show_numbers)
            for info in found
        ]
    if arguments.json:
        print_json({"instances": rows})
    elif not rows:
        print_text(
            t(
                f"no instances; make one with: {program()} connect NAME",
                f"nenhuma instância; crie uma com: {program()} connect NOME",
            )
        )
    else:
        _print(rows, check=arguments.check)
    return DONE


def _row(
    client: EvolutionClient, info: InstanceInfo, *, check: bool, whole: bool
) -> dict[str, Any]:
    phone = owner_phone(info)
    state, dead = info.connection_status, None
    if check:
        state, dead = _checked(client, info)
    return {
        "name": info.name,
        "state": state,
        "dead": dead,
        "phone": phone if whole or phone is None else mask_phone(phone),
        "profile_name": info.profile_name,
        "integration": info.integration,
    }


def owner_phone(info: InstanceInfo) -> str | None:
    """Return the number that an instance is linked to; None without one.

    Of a WHATSAPP-BUSINESS instance it is an id of Meta's, and no phone.

    Args:
        info: The instance.
    """
    owner = info.owner_jid
    return None if owner is None else owner.partition("@")[0].partition(":")[0]


def _checked(
    client: EvolutionClient, info: InstanceInfo
) -> tuple[ConnectionStatus | None, bool | None]:
    """Ask for the state in the server's memory, and whether the socket is dead.

    The list's state is the database's; only a write to the socket tells whether it works.
    """
    try:
        state = client.instances.connection_state(info.name, timeout_ms=_CHECK_TIMEOUT_MS).state
        if state is not ConnectionStatus.OPEN:
            return state, None
        client.instances.set_presence(
            "unavailable", info.name, retry=False, timeout_ms=_CHECK_TIMEOUT_MS
        )
    except InstanceNotConnectedError:
        return ConnectionStatus.OPEN, True
    except ChannelNotSupportedError:
        return ConnectionStatus.OPEN, None
    except EvolutionError:
        return info.connection_status, None
    return state, False


def _print(rows: Sequence[dict[str, Any]], *, check: bool) -> None:
    titles = [
        t("name", "nome"),
        t("state", "estado"),
        t("phone", "telefone"),
        t("channel", "canal"),
        t("profile", "perfil"),
    ]
    dead = t("open, socket dead", "open, socket morto")
    shown = [
        [
            row["name"],
            dead if row["dead"] else row["state"] or "-",
            row["phone"] or "-",
            row["integration"] or "-",
            row["profile_name"] or "-",
        ]
        for row in rows
    ]
    print_table(titles, shown, colours={**STATES, dead: "red"})
    lost = [row["name"] for row in rows if row["dead"]]
    if lost:
        print_text(
            t(
                f"a dead socket sends nothing: client.instances.restart({lost[0]!r}) mends it",
                f"um socket morto não envia nada: client.instances.restart({lost[0]!r}) resolve",
            )
        )
    if not check and any(row["state"] == "open" for row in rows):
        print_text(
            t(
                "open is what the server's database says; --check asks each socket",
                "open é o que diz o banco do servidor; --check testa cada socket",
            )
        )

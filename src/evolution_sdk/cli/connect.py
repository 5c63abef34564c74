"""``connect``: links a phone to an instance."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evolution_sdk._base.redact import mask_phone
from evolution_sdk._cli.colour import may_colour
from evolution_sdk._cli.frame import DONE, NO, CommandParser, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import (
    add_settings,
    add_shape,
    add_show_numbers,
    duration,
    settings_of,
)
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk.errors import ConfigurationError, EvolutionError

from .instances import owner_phone
from .linking import End, Linking
from .linking_words import JsonTeller, TextTeller, advice

if TYPE_CHECKING:
    from evolution_sdk import EvolutionClient

__all__ = ["main", "parser"]

_TIMEOUT: Final = "3m"
_GOOD: Final = ("open", "already_open")


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} connect",
        description=t(
            "Link a phone to an instance, which is made if it is missing, and wait until it is "
            "open.",
            "Conecta um telefone a uma instância, que é criada se não existir, e espera até ela "
            "ficar aberta.",
        ),
    )
    options.add_argument(
        "name",
        nargs="?",
        metavar=t("NAME", "NOME"),
        help=t(
            "the instance; default: EVOLUTION_INSTANCE", "a instância; padrão: EVOLUTION_INSTANCE"
        ),
    )
    how = options.add_mutually_exclusive_group()
    how.add_argument(
        "--png",
        type=_picture,
        metavar=t("FILE", "ARQUIVO"),
        help=t(
            "write the QR code into this file (.png or .svg), anew for each code",
            "grava o QR code neste arquivo (.png ou .svg), de novo a cada código",
        ),
    )
    how.add_argument(
        "--pair",
        metavar=t("NUMBER", "NÚMERO"),
        help=t(
            "show a pairing code for this phone instead: digits with the country code",
            "mostra um código de pareamento para este telefone: dígitos com o código do país",
        ),
    )
    options.add_argument(
        "--timeout",
        type=duration,
        default=_TIMEOUT,
        metavar=t("TIME", "TEMPO"),
        help=t(
            "longest wait for the phone, such as 10m (%(default)s)",
            "espera máxima pelo telefone, por exemplo 10m (%(default)s)",
        ),
    )
    options.add_argument(
        "--show-code",
        action="store_true",
        help=t(
            "with --json print the codes, too: whoever has one can link a phone",
            "com --json mostra também os códigos: quem tem um pode conectar um telefone",
        ),
    )
    add_show_numbers(options)
    add_settings(options)
    add_shape(options)
    return options


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in (".png", ".svg"):
        raise argparse.ArgumentTypeError(
            t(f"{text!r} must end with .png or .svg", f"{text!r} deve terminar em .png ou .svg")
        )
    return path


def main(
    argv: Sequence[str],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Link a phone.

    Args:
        argv: The arguments after ``connect``.
        clock: Seconds that never go back.
        sleep: Blocks for some seconds.

    Returns:
        The exit code: 0 open, 1 not linked, 2 a wrong option or key, 3 the server fails.
    """
    arguments = parser().parse_args(argv)
    return guarded("connect", lambda: _connect(arguments, clock, sleep))


def _connect(
    arguments: argparse.Namespace, clock: Callable[[], float], sleep: Callable[[float], object]
) -> int:
    from evolution_sdk import EvolutionClient

    config = settings_of(arguments, instance=arguments.name)
    name = config.instance
    if not name:
        raise ConfigurationError(
            t(
                f"which instance? Name it: {program()} connect sales, or set EVOLUTION_INSTANCE.",
                f"qual instância? Indique: {program()} connect vendas, ou defina "
                "EVOLUTION_INSTANCE.",
            )
        )
    _require_drawing(arguments)
    teller = _teller(arguments, name)
    with EvolutionClient(config=config) as client:
        linking = Linking(client, name, arguments.pair, teller, clock, sleep)
        end = linking.run(arguments.timeout.total_seconds())
        if end in _GOOD:
            return _tell_open(client, name, arguments, end)
    words = advice(end, name, any_code=linking.any_code, told_no_code=linking.told_no_code)
    if arguments.json:
        print_json({"event": "ended", "instance": name, "reason": end, "advice": words})
    sys.stderr.write(f"{program()} connect: {name}: {words}\n")
    return NO


def _require_drawing(arguments: argparse.Namespace) -> None:
    """Tell at once that a code could not be drawn, and not when it comes."""
    drawn = not (arguments.json or arguments.pair or arguments.png)
    if drawn and find_spec("segno") is None:
        raise ConfigurationError(
            t(
                "drawing a QR code needs segno: pip install 'evolutionapi-sdk[cli]'. Without it "
                "use --png FILE or --pair NUMBER.",
                "desenhar um QR code requer o segno: pip install 'evolutionapi-sdk[cli]'. Sem ele "
                "use --png ARQUIVO ou --pair NÚMERO.",
            )
        )


def _teller(arguments: argparse.Namespace, name: str) -> JsonTeller | TextTeller:
    if arguments.json:
        return JsonTeller(name, picture=arguments.png, show_code=arguments.show_code)
    return TextTeller(
        name, picture=arguments.png, pairing=arguments.pair is not None, ansi=may_colour()
    )


def _tell_open(client: EvolutionClient, name: str, arguments: argparse.Namespace, end: End) -> int:
    phone = _phone(client, name)
    if phone is not None and not arguments.show_numbers:
        phone = mask_phone(phone)
    if arguments.json:
        print_json({"event": "ended", "instance": name, "reason": end, "phone": phone})
        return DONE
    who = "" if phone is None else t(f", phone {phone}", f", telefone {phone}")
    if end == "already_open":
        print_text(
            t(
                f"{name} was linked already{who}; nothing to do",
                f"{name} já estava conectada{who}; nada a fazer",
            )
        )
    else:
        print_text(t(f"{name} is linked{who}", f"{name} está conectada{who}"))
    return DONE


def _phone(client: EvolutionClient, name: str) -> str | None:
    try:
        found = client.instances.fetch(name)
    except EvolutionError:
        # It is open all the same.
        return None
    return owner_phone(found[0]) if found else None

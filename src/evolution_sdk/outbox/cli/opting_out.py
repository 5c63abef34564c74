"""``outbox opt-out``: who is not to be written to."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from evolution_sdk._base.redact import mask_phone
from evolution_sdk._cli.frame import DONE, NO, WRONG, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.output import print_json, print_table, print_text

from .words import opt_out_json, opt_out_row, opt_out_titles

if TYPE_CHECKING:
    from evolution_sdk.outbox import Outbox

__all__ = ["opt_out"]


def opt_out(outbox: Outbox, arguments: argparse.Namespace) -> int:
    """Refuse hand-overs to somebody, take that back, or list those who opted out.

    Args:
        outbox: The outbox.
        arguments: The parsed options.

    Returns:
        The exit code.
    """
    number: str | None = arguments.number
    if number is None:
        return WRONG if _misses_number(arguments) else _opt_outs(outbox, arguments)
    if arguments.remove:
        done = outbox.opt_in(number, instance=arguments.instance)
        words = (
            t("may be written to again", "pode voltar a receber mensagens")
            if done
            else t("had not opted out", "não tinha pedido para sair")
        )
    else:
        outbox.opt_out(number, instance=arguments.instance, reason=arguments.reason)
        done, words = True, t("is not written to any more", "não recebe mais mensagens")
    if arguments.json:
        print_json({"done": done})
    else:
        print_text(f"{number if arguments.show_numbers else mask_phone(number)} {words}")
    return DONE if done else NO


def _misses_number(arguments: argparse.Namespace) -> bool:
    if arguments.remove or arguments.reason or arguments.instance:
        sys.stderr.write(
            f"{program()} outbox opt-out: {t('name the number, too', 'indique também o número')}\n"
        )
        return True
    return False


def _opt_outs(outbox: Outbox, arguments: argparse.Namespace) -> int:
    found, whole = outbox.opt_outs(), arguments.show_numbers
    if arguments.json:
        print_json({"opt_outs": [opt_out_json(one, whole=whole) for one in found]})
    elif not found:
        print_text(t("nobody opted out", "ninguém pediu para sair"))
    else:
        print_table(opt_out_titles(), [opt_out_row(one, whole=whole) for one in found])
    return DONE

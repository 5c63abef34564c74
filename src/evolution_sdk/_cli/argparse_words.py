"""Words of argparse itself, in Portuguese."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from .language import current, t

__all__ = ["HelpFormatter", "translated"]

_KINDS: Final = {"int": "número inteiro", "float": "número", "Path": "caminho"}


def _kind(found: re.Match[str]) -> str:
    return f"valor inválido: {found[2]} (esperado: {_KINDS.get(found[1], found[1])})"


# What argparse says of wrong arguments, in the wordings of Python 3.11 to 3.14.
_MESSAGES: Final[tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]] = (
    (r"^argument ([^:]+): ", r"argumento \1: "),
    (r"the following arguments are required: (.+)", r"faltam argumentos: \1"),
    (r"one of the arguments (.+) is required", r"é preciso um destes argumentos: \1"),
    (r"not allowed with argument (.+)", r"não pode ser usado junto com \1"),
    (r"expected one argument", "falta o valor"),
    (r"expected at most one argument", "aceita no máximo um valor"),
    (r"expected at least one argument", "falta ao menos um valor"),
    (r"expected (\d+) arguments?", r"espera \1 valor(es)"),
    (r"unrecognized arguments: (.+)", r"argumentos desconhecidos: \1"),
    (r"ignored explicit argument (.+)", r"não aceita valor: \1"),
    (r"invalid choice: (.+?) \(choose from (.+)\)", r"escolha inválida: \1 (escolha entre \2)"),
    (r"invalid choice: (.+?), maybe you meant (.+?)\? ", r"escolha inválida: \1, seria \2? "),
    (r"invalid (\w+) value: (.+)", _kind),
    (r"ambiguous option: (.+) could match (.+)", r"opção ambígua: \1 pode ser \2"),
)


def translated(message: str) -> str:
    """Return an error of argparse in the chosen language.

    Args:
        message: The error, as argparse words it. What is not its own stays as it is.
    """
    if current() == "en":
        return message
    for pattern, words in _MESSAGES:
        message = re.sub(pattern, words, message, count=1)
    return message


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Writes help in the chosen language."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Add the usage.

        Args:
            usage: The usage in words. Default: made from the actions.
            actions: Arguments to be shown.
            groups: Those that exclude each other.
            prefix: Words before it. Default: ``usage: ``.
        """
        if prefix is None:
            prefix = t("usage: ", "uso: ")
        super().add_usage(usage, actions, groups, prefix)

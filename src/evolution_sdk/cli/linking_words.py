"""Output of ``connect``: lines for people, or JSON for programs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from evolution_sdk._cli.frame import program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.output import print_json, print_text, printable
from evolution_sdk.errors import EvolutionError
from evolution_sdk.models.instance import ConnectionStatus, ConnectResult

from .big_letters import big_letters
from .linking import End

__all__ = ["JsonTeller", "TextTeller", "advice"]

_HALF: Final = 4
_EXPECTED: Final = (ConnectionStatus.CLOSE, ConnectionStatus.CONNECTING, ConnectionStatus.OPEN)


def no_code_words() -> str:
    """Explain why the server answers ``{"count": 0}``, and what to do."""
    return t(
        "the server gets no code from WhatsApp ({'count': 0}). Look at its log: can it reach the "
        "internet, or its proxy? Is CONFIG_SESSION_PHONE_VERSION in its environment a version "
        "that WhatsApp still takes? Set a current one, or remove it, and restart the server.",
        "o servidor não recebe nenhum código do WhatsApp ({'count': 0}). Veja o log dele: ele "
        "alcança a internet, ou o proxy? A CONFIG_SESSION_PHONE_VERSION do ambiente dele ainda é "
        "aceita pelo WhatsApp? Ponha uma atual, ou remova, e reinicie o servidor.",
    )


def advice(end: End, name: str, *, any_code: bool, told_no_code: bool) -> str:
    """Say why an instance is not open, and what to do.

    Args:
        end: The way it ended.
        name: The instance.
        any_code: Whether there was any code.
        told_no_code: Whether it was told before that there is none.
    """
    match end:
        case "timeout" if told_no_code and not any_code:
            return t("no code came in time", "nenhum código chegou a tempo")
        case "timeout" if not any_code:
            return no_code_words()
        case "timeout":
            return t(
                "nobody used a code in time; run it again, or wait longer with --timeout 10m",
                "ninguém usou um código a tempo; rode de novo, ou espere mais com --timeout 10m",
            )
        case "gave_up":
            return t(
                "the server has given up: nobody used its codes (QRCODE_LIMIT, mostly 30), or the "
                "phone refused; run it again",
                "o servidor desistiu: ninguém usou os códigos (QRCODE_LIMIT, em geral 30), ou o "
                "telefone recusou; rode de novo",
            )
        case "no_channel":
            return t(
                "it has no codes: only WHATSAPP-BAILEYS instances are linked by one; those of "
                "other channels are open unless they were logged out",
                "ela não tem códigos: só as WHATSAPP-BAILEYS são conectadas por código; "
                "as de outros canais já estão abertas, a não ser após um logout",
            )
        case "pair_too_late":
            return t(
                "it is connecting with a QR code already, and the server then makes no "
                f"pairing code; scan it with: {program()} connect {name} (or delete the instance "
                "and begin with --pair)",
                "ela já está conectando por QR code, e então o servidor não cria código de "
                f"pareamento; leia-o com: {program()} connect {name} (ou apague a instância e "
                "comece com --pair)",
            )
        case _:
            return ""


class TextTeller:
    """Tells a person, and draws codes in the terminal.

    Args:
        name: The instance.
        picture: File for the QR code instead of the terminal.
        pairing: Whether codes are typed in instead of scanned.
        ansi: Whether the terminal understands escape sequences.
    """

    def __init__(self, name: str, *, picture: Path | None, pairing: bool, ansi: bool) -> None:
        self._name = name
        self._picture = picture
        self._pairing = pairing
        self._ansi = ansi
        self._drawn_lines = 0

    def created(self) -> None:
        """Tell that the instance was made."""
        print_text(t(f"{self._name}: created", f"{self._name}: criada"))

    def state(self, state: ConnectionStatus | None) -> None:
        """Tell a state that is new, unless it is the one that a code stands for."""
        if state in _EXPECTED:
            return
        self._drawn_lines = 0
        words = t("not loaded yet", "ainda não carregada") if state is None else str(state)
        print_text(f"{self._name}: {words}")

    def code(self, result: ConnectResult) -> None:
        """Show a code that is new."""
        if self._pairing:
            self._show_pairing(result.pairing_code or "")
        elif self._picture is not None:
            result.save(self._picture)
            print_text(
                t(
                    f"scan {self._picture} with WhatsApp: Linked devices > Link a device; the "
                    "file changes with the code",
                    f"leia {self._picture} com o WhatsApp: Dispositivos conectados > Conectar "
                    "dispositivo; o arquivo muda com o código",
                )
            )
        else:
            self._draw(result)

    def _draw(self, result: ConnectResult) -> None:
        lines = result.terminal(ansi=self._ansi).splitlines()
        number = f" ({result.count})" if result.count else ""
        below = t(
            f"Scan it with WhatsApp: Linked devices > Link a device.{number} Ctrl-C ends.",
            f"Leia com o WhatsApp: Dispositivos conectados > Conectar dispositivo.{number} "
            "Ctrl-C encerra.",
        )
        size = shutil.get_terminal_size()
        width = len(result.terminal(ansi=False).partition("\n")[0])
        if self._ansi and (size.lines < len(lines) + 2 or size.columns < width):
            below += t(
                f" The window is too small: it takes {width} columns and {len(lines) + 2} lines, "
                "or use --png FILE or --pair NUMBER.",
                f" A janela é pequena demais: são {width} colunas e {len(lines) + 2} linhas, ou "
                "use --png ARQUIVO ou --pair NÚMERO.",
            )
            self._drawn_lines = 0
        elif self._drawn_lines:
            # Over the former one, which is no longer valid.
            sys.stdout.write(f"\x1b[{self._drawn_lines}F\x1b[J")
        sys.stdout.write("\n".join((*lines, printable(below), "")))
        sys.stdout.flush()
        fits = (
            self._ansi and size.lines >= len(lines) + 2 and size.columns >= max(width, len(below))
        )
        self._drawn_lines = len(lines) + 1 if fits else 0

    def _show_pairing(self, code: str) -> None:
        shown = f"{code[:_HALF]}-{code[_HALF:]}" if len(code) == 2 * _HALF else code
        print_text("", *big_letters(shown), "", f"  {' '.join(shown)}", "")
        print_text(
            t(
                "Type it into the phone: WhatsApp > Linked devices > Link a device > Link with "
                "phone number instead. Ctrl-C ends.",
                "Digite no telefone: WhatsApp > Dispositivos conectados > Conectar dispositivo > "
                "Conectar com número de telefone. Ctrl-C encerra.",
            )
        )

    def no_code(self) -> None:
        """Tell that the server gets no code from WhatsApp."""
        self._drawn_lines = 0
        waits = t("still waiting", "esperando ainda")
        print_text(f"{self._name}: {no_code_words()} ({waits})")

    def trouble(self, error: EvolutionError) -> None:
        """Tell that the server does not answer now."""
        self._drawn_lines = 0
        waits = t("still waiting", "esperando ainda")
        print_text(f"{self._name}: {error} ({waits})")


class JsonTeller:
    """Tells a program, one JSON object a line.

    Args:
        name: The instance.
        picture: File for the QR code.
        show_code: Whether codes are printed: whoever has one can link a phone.
    """

    def __init__(self, name: str, *, picture: Path | None, show_code: bool) -> None:
        self._name = name
        self._picture = picture
        self._show_code = show_code

    def _tell(self, event: str, **more: object) -> None:
        print_json({"event": event, "instance": self._name, **more})

    def created(self) -> None:
        """Tell that the instance was made."""
        self._tell("created")

    def state(self, state: ConnectionStatus | None) -> None:
        """Tell a state that is new."""
        self._tell("state", state=state)

    def code(self, result: ConnectResult) -> None:
        """Tell that a code is new; the code itself only if asked for."""
        more: dict[str, object] = {"count": result.count}
        if self._picture is not None:
            more["file"] = str(result.save(self._picture))
        if self._show_code:
            more |= {"code": result.code, "pairing_code": result.pairing_code}
        self._tell("code", **more)

    def no_code(self) -> None:
        """Tell that the server gets no code from WhatsApp."""
        self._tell("no_code", advice=no_code_words())

    def trouble(self, error: EvolutionError) -> None:
        """Tell that the server does not answer now."""
        self._tell("trouble", error=type(error).__name__)

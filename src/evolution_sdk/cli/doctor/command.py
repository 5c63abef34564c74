"""Options of ``doctor``, and the printing of its findings."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from evolution_sdk._cli.frame import DONE, NO, CommandParser, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, settings_of
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk.cli.quiet import quiet_logs

from .findings import Finding

__all__ = ["main", "parser"]


def _now() -> datetime:
    return datetime.now(UTC)


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} doctor",
        description=t(
            "Check server, key, licence, instances, webhooks and stores, and say what to do.\n"
            "It changes nothing: webhooks are asked by HEAD, and open instances get the presence\n"
            "unavailable, as it is anyway, because only a write shows if a socket is alive.",
            "Verifica servidor, chave, licença, instâncias, webhooks e bancos e diz o que fazer.\n"
            "Não altera nada: os webhooks são consultados com HEAD, e a presença das instâncias\n"
            "abertas é definida como unavailable, como já está: só uma escrita mostra se o socket "
            "está vivo.",
        ),
        epilog=t(
            "exit codes:\n"
            "  0    done: nothing failed; there may be warnings\n"
            "  1    something failed\n"
            "  2    an option or a setting is wrong; nothing was checked\n"
            "  130  interrupted by Ctrl-C",
            "códigos de saída:\n"
            "  0    feito: nada falhou; pode haver avisos\n"
            "  1    algo falhou\n"
            "  2    uma opção ou configuração está errada; nada foi verificado\n"
            "  130  interrompido por Ctrl-C",
        ),
    )
    options.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar=t("NAME", "NOME"),
        help=t(
            "look at this instance; repeatable; default: EVOLUTION_INSTANCE, else all",
            "verifica esta instância; pode repetir; padrão: EVOLUTION_INSTANCE, senão todas",
        ),
    )
    options.add_argument(
        "--post",
        action="store_true",
        help=t(
            "also post an empty object to webhooks, with a valid token and without one: it is no "
            "event, but a program that takes anything (n8n) may begin to work",
            "também envia um objeto vazio aos webhooks, com token válido e sem: não é um evento, "
            "mas um programa que aceita tudo (n8n) pode começar a trabalhar",
        ),
    )
    add_settings(options)
    add_shape(options)
    return options


def main(
    argv: Sequence[str],
    *,
    now: Callable[[], datetime] = _now,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Check everything once.

    Args:
        argv: The arguments after ``doctor``.
        now: Tells the time (aware).
        clock: Seconds that never go back.

    Returns:
        The exit code: 0 nothing failed, 1 something failed, 2 a wrong option or setting.
    """
    arguments = parser().parse_args(argv)
    return guarded("doctor", lambda: _run(arguments, now, clock))


def _run(
    arguments: argparse.Namespace, now: Callable[[], datetime], clock: Callable[[], float]
) -> int:
    from .looking import Doctor

    config = settings_of(arguments)
    doctor = Doctor(config, instances=arguments.instance, post=arguments.post, now=now, clock=clock)
    found: list[Finding] = []
    with quiet_logs():
        for finding in doctor.examine():
            found.append(finding)
            if not arguments.json:
                _print(finding)
    counts = Counter(finding.status for finding in found)
    failed = counts["failed"] > 0
    if arguments.json:
        print_json(
            {
                "ok": not failed,
                "counts": {each: counts[each] for each in ("ok", "warning", "failed", "skipped")},
                "findings": [finding.to_dict() for finding in found],
            }
        )
    else:
        print_text(
            t(
                f"failed: {counts['failed']}, warnings: {counts['warning']}, ok: {counts['ok']}",
                f"falhas: {counts['failed']}, avisos: {counts['warning']}, ok: {counts['ok']}",
            )
        )
    return NO if failed else DONE


def _print(finding: Finding) -> None:
    status = {
        "ok": "ok",
        "warning": t("warning", "aviso"),
        "failed": t("FAILED", "FALHA"),
        "skipped": t("skipped", "pulado"),
    }[finding.status]
    # What a store is about is in its words already.
    about = finding.about if finding.about and not finding.about.startswith("EVOLUTION_") else ""
    name = f"{finding.name} {about}".rstrip()
    print_text(f"{status:<8} {name}: {finding.words}")
    if finding.remedy:
        print_text(f"{'':<8}   -> {finding.remedy}")

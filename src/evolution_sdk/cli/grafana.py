"""``grafana``: writes the dashboard and the rules, made from the table of metrics."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evolution_sdk._cli.frame import DONE, NO, CommandParser, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_folder, add_shape
from evolution_sdk._cli.output import print_json, print_text

from .existing import existing, tell_existing

__all__ = ["main", "parser"]

_LABELS: Final = ("exported_instance", "instance")


def parser() -> CommandParser:
    """Make the parser of ``grafana`` and its subcommand."""
    options = CommandParser(
        prog=f"{program()} grafana",
        description=t(
            "Files for Grafana and Prometheus.", "Arquivos para o Grafana e o Prometheus."
        ),
    )
    commands = options.add_subparsers(
        dest="command", required=True, metavar=t("COMMAND", "COMANDO")
    )
    words = t(
        "write the dashboard, the alert rules and the recording rules",
        "grava o painel, as regras de alerta e as regras de gravação",
    )
    export = commands.add_parser(
        "export",
        help=words,
        description=t(
            "Write a dashboard for Grafana, and alert and recording rules for Prometheus. They are "
            "made from the metrics that this version exports.",
            "Grava um painel para o Grafana e regras de alerta e de gravação para o Prometheus, "
            "feitos a partir das métricas que esta versão exporta.",
        ),
    )
    add_folder(export)
    export.add_argument(
        "--instance-label",
        choices=_LABELS,
        default=_LABELS[0],
        metavar=t("LABEL", "RÓTULO"),
        help=t(
            "the label that holds WhatsApp's instance: exported_instance (default), or instance "
            "where Prometheus scrapes with honor_labels: true",
            "o rótulo com a instância do WhatsApp: exported_instance (padrão), ou instance se o "
            "Prometheus coleta com honor_labels: true",
        ),
    )
    export.add_argument(
        "--force",
        action="store_true",
        help=t("overwrite files that are there", "sobrescreve arquivos que já existem"),
    )
    add_shape(export)
    return options


def main(argv: Sequence[str]) -> int:
    """Write the files.

    Args:
        argv: The arguments after ``grafana``.

    Returns:
        The exit code: 0 written, 1 a file is there already, 2 a wrong option, 3 they cannot be
        written.
    """
    arguments = parser().parse_args(argv)
    return guarded("grafana", lambda: _export(arguments))


def _export(arguments: argparse.Namespace) -> int:
    from evolution_sdk.monitor.grafana import grafana_files

    folder: Path = arguments.folder
    files = grafana_files(arguments.instance_label)
    there = existing(folder, files)
    if there and not arguments.force:
        ending = "; --force overwrites", "; --force sobrescreve"
        tell_existing(there, *ending, as_json=arguments.json)
        return NO
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    if arguments.json:
        print_json({"written": [str(folder / name) for name in files]})
        return DONE
    print_text(*(str(folder / name) for name in files))
    print_text(
        t(
            "Grafana: Dashboards → New → Import, and choose the JSON file.",
            "Grafana: Dashboards → New → Import, e escolha o arquivo JSON.",
        ),
        t(
            "Prometheus: name the two .yml files under rule_files, and reload it.",
            "Prometheus: cite os dois arquivos .yml em rule_files e recarregue.",
        ),
    )
    return DONE

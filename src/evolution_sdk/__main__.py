"""``evolution``, or ``python -m evolution_sdk``: one program for all commands."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from evolution_sdk._cli.frame import CommandParser, exit_codes, program
from evolution_sdk._cli.language import LANGUAGES, t, take_language, use
from evolution_sdk._version import __version__

__all__ = ["main"]


class _Command(NamedTuple):
    """One command; its module is imported when it is run.

    Attributes:
        module: The module, whose ``main`` takes the arguments after the command's name and returns
            the exit code.
        en: What it does, in English.
        pt: The same in Portuguese.
    """

    module: str
    en: str
    pt: str


_COMMANDS: Final[Mapping[str, _Command]] = {
    "doctor": _Command(
        "cli.doctor",
        "check server, key, licence, instances, webhook and stores, and say what to do",
        "verifica servidor, chave, licença, instâncias, webhook e bancos, e diz o que fazer",
    ),
    "connect": _Command(
        "cli.connect",
        "link a phone: QR code in the terminal, as a file, or a pairing code",
        "conecta um telefone: QR code no terminal, em arquivo, ou código de pareamento",
    ),
    "send": _Command("cli.send", "send a text or a file", "envia um texto ou um arquivo"),
    "instances": _Command(
        "cli.instances", "list the instances and their states", "lista as instâncias e seus estados"
    ),
    "tail": _Command(
        "cli.tail",
        "print events as they come, by socket or RabbitMQ",
        "mostra os eventos ao vivo, por socket ou RabbitMQ",
    ),
    "listen": _Command(
        "cli.listen",
        "receive webhooks here, and put the former one back at the end",
        "recebe webhooks aqui e devolve o webhook anterior ao sair",
    ),
    "events": _Command("cli.events", "replay events from a file", "reproduz eventos de um arquivo"),
    "monitor": _Command(
        "monitor.cli",
        "watch the health of a server and its instances",
        "acompanha a saúde do servidor e das instâncias",
    ),
    "console": _Command(
        "cli.console",
        "serve the live console: health, delivery, outbox, alerts in one page",
        "abre o painel ao vivo: saúde, entrega, caixa de saída e alertas em uma página",
    ),
    "outbox": _Command(
        "outbox.cli",
        "send, list and settle messages that were handed over",
        "envia, lista e resolve as mensagens da caixa de saída",
    ),
    "archive": _Command(
        "cli.archive",
        "search or export the archive of messages",
        "busca ou exporta o arquivo de mensagens",
    ),
    "grafana": _Command(
        "cli.grafana",
        "write the dashboard and the rules for Grafana and Prometheus",
        "grava o painel e as regras para Grafana e Prometheus",
    ),
    "fake-server": _Command(
        "testing.cli",
        "run a fake Evolution API server for tests and demos",
        "roda um servidor Evolution API falso, para testes e demonstrações",
    ),
    "new": _Command(
        "cli.new",
        "make a small project with tests that run at once",
        "cria um pequeno projeto com testes que já rodam",
    ),
    "docker": _Command(
        "cli.docker",
        "write a compose.yaml with the server and its databases",
        "grava um compose.yaml com o servidor e seus bancos",
    ),
    "completion": _Command(
        "cli.completion",
        "print the completion script of a shell",
        "mostra o script de autocompletar do shell",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Arguments without the program's name. Default: those of the process.

    Returns:
        The exit code.
    """
    named, arguments = take_language(sys.argv[1:] if argv is None else argv)
    for language in LANGUAGES:
        if language == named:
            use(language)
    parser = _parser()
    if named not in LANGUAGES:
        parser.error(f"--lang: {named!r} is not one of {', '.join(LANGUAGES)}")
    chosen = parser.parse_args(arguments[:1])
    run = import_module(f"evolution_sdk.{_COMMANDS[chosen.command].module}").main
    return int(run(arguments[1:]))


def _parser() -> CommandParser:
    width = max(map(len, _COMMANDS))
    listed = "\n".join(
        f"  {name:<{width}}  {t(each.en, each.pt)}" for name, each in _COMMANDS.items()
    )
    parser = CommandParser(
        prog=program(),
        usage=t(
            "%(prog)s [-h] [--version] [--lang en|pt] COMMAND ...",
            "%(prog)s [-h] [--version] [--lang en|pt] COMANDO ...",
        ),
        description=t(
            "Tools of evolution-sdk for the Evolution API.",
            "Ferramentas do evolution-sdk para a Evolution API.",
        ),
        epilog=f"{t('commands', 'comandos')}:\n{listed}\n\n{exit_codes()}",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=__version__,
        help=t("show the version and exit", "mostra a versão e sai"),
    )
    parser.add_argument(
        "--lang",
        metavar="en|pt",
        help=t(
            "language of all commands; default: LANG and its kin",
            "idioma de todos os comandos; padrão: o da variável LANG",
        ),
    )
    parser.add_argument(
        "command",
        choices=_COMMANDS,
        metavar=t("COMMAND", "COMANDO"),
        help=t("one of those below", "um dos listados abaixo"),
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

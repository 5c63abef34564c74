"""``evolution``, or ``python -m evolution_sdk``: one program for all commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from evolution_sdk._cli.frame import CommandParser, exit_codes, program
from evolution_sdk._cli.language import LANGUAGES, t, take_language, use
from evolution_sdk._version import __version__
from evolution_sdk.cli.commands import COMMANDS

__all__ = ["main"]


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
    return int(COMMANDS[chosen.command].load().main(arguments[1:]))


def _parser() -> CommandParser:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {each.words}" for name, each in COMMANDS.items())
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
        # Taken before by `take_language`, wherever it stands; here it is told of.
        choices=LANGUAGES,
        metavar="en|pt",
        help=t(
            "language of all commands; default: LANG and its kin",
            "idioma de todos os comandos; padrão: o da variável LANG",
        ),
    )
    parser.add_argument(
        "command",
        choices=COMMANDS,
        metavar=t("COMMAND", "COMANDO"),
        help=t("one of those below", "um dos listados abaixo"),
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

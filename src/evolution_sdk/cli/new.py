"""``new``: writes a small project with tests that run at once."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final

from evolution_sdk._cli.frame import DONE, CommandParser, guarded, program
from evolution_sdk._cli.language import LANGUAGES, current, t
from evolution_sdk._cli.options import add_shape
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk._version import __version__
from evolution_sdk.errors import ConfigurationError

__all__ = ["KINDS", "main", "parser"]

KINDS: Final = ("bot", "billing", "fastapi", "django")
"""Kinds of projects."""

# Plain files by their ending, so that no tool takes them for code of this package.
_ENDING: Final = ".tmpl"
_HIDDEN: Final = "dot-"


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        prog=f"{program()} new",
        description=t(
            "Make a small project that works: program, settings, and tests on the fake server.",
            "Cria um pequeno projeto que funciona: programa, configurações e testes com o "
            "servidor falso.",
        ),
    )
    options.add_argument(
        "kind",
        choices=KINDS,
        metavar="bot|billing|fastapi|django",
        help=t(
            "bot answers messages; billing sends what a CSV file names, each once; fastapi and "
            "django receive and send in a web application",
            "bot responde mensagens; billing envia as cobranças de um CSV, cada uma só uma vez; "
            "fastapi e django recebem e enviam em uma aplicação web",
        ),
    )
    options.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar=t("FOLDER", "PASTA"),
        help=t("where to; default: the kind's name", "onde; padrão: o nome do tipo"),
    )
    options.add_argument(
        "--force",
        action="store_true",
        help=t(
            "add what is missing to a folder that is not empty; no file is overwritten",
            "acrescenta o que falta em uma pasta não vazia; nenhum arquivo é sobrescrito",
        ),
    )
    add_shape(options)
    return options


def main(argv: Sequence[str]) -> int:
    """Make a project.

    Args:
        argv: The arguments after ``new``.

    Returns:
        The exit code: 0 made, 2 the folder is not empty, 3 a file cannot be written.
    """
    arguments = parser().parse_args(argv)
    return guarded("new", lambda: _new(arguments))


def _new(arguments: argparse.Namespace) -> int:
    kind: str = arguments.kind
    folder: Path = arguments.folder or Path(kind)
    _check(folder, force=arguments.force)
    written: list[str] = []
    kept: list[str] = []
    for place, text in _project(kind, folder.resolve().name):
        (written if _write(folder / place, text) else kept).append(place)
    steps = _steps(kind, folder)
    if arguments.json:
        print_json(
            {
                "kind": kind,
                "folder": str(folder),
                "written": written,
                "kept": kept,
                "next": [command for command, _ in steps],
            }
        )
        return DONE
    print_text(
        t(f"{folder}: {len(written)} files written", f"{folder}: {len(written)} arquivos gravados"),
        *(f"  {place}" for place in written),
    )
    if kept:
        names = ", ".join(kept)
        print_text(t(f"left as they were: {names}", f"mantidos como estavam: {names}"))
    width = max(len(command) for command, _ in steps)
    print_text(t("next steps:", "próximos passos:"))
    print_text(*(f"  {command:<{width}}  # {words}" for command, words in steps))
    return DONE


def _check(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(
            t(
                f"{folder} is a file; name another folder.",
                f"{folder} é um arquivo; indique outra pasta.",
            ),
            variable="FOLDER",
        )
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise ConfigurationError(
            t(
                f"{folder} is not empty, and nothing was written; name another folder, or add "
                "what is missing with --force.",
                f"{folder} não está vazia, e nada foi gravado; indique outra pasta ou acrescente "
                "o que falta com --force.",
            ),
            variable="FOLDER",
        )


def _project(kind: str, name: str) -> list[tuple[str, str]]:
    """Return the project's files, by their place, in the chosen language."""
    words = {"{{project}}": _project_name(kind, name), "{{version}}": __version__}
    found: list[tuple[str, str]] = []
    for part in ("common", kind):
        root = files("evolution_sdk.cli").joinpath("templates", part)
        for place, source in _walk(root, PurePosixPath()):
            text = source.read_text("utf-8")
            for mark, value in words.items():
                text = text.replace(mark, value)
            found.append((place, text))
    return sorted(found)


def _project_name(kind: str, folder: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-") or kind
    # A project that has the name of what it depends on cannot be installed.
    return f"my-{name}" if name in KINDS else name


def _walk(folder: Traversable, under: PurePosixPath) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        if each.is_dir():
            if each.name != "__pycache__":
                found += _walk(each, under / each.name)
            continue
        name = each.name.removesuffix(_ENDING)
        stem, _, language = name.rpartition(".")
        if language in LANGUAGES:
            if language != current():
                continue
            name = stem
        if name.startswith(_HIDDEN):
            name = f".{name.removeprefix(_HIDDEN)}"
        found.append((str(under / name), each))
    return found


def _write(path: Path, text: str) -> bool:
    """Write a file, unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _steps(kind: str, folder: Path) -> list[tuple[str, str]]:
    return [
        (f"cd {shlex.quote(str(folder))}", t("go there", "entre na pasta")),
        (
            "pip install -e '.[test]'",
            t("install what it needs", "instale o que ele precisa"),
        ),
        ("pytest", t("no server and no phone needed", "sem servidor e sem telefone")),
        (
            "cp .env.example .env",
            t("then fill in URL, key and instance", "e preencha URL, chave e instância"),
        ),
        (
            "evolution doctor",
            t("ask whether all is well", "verifique se está tudo certo"),
        ),
        *_starts(kind),
    ]


def _starts(kind: str) -> list[tuple[str, str]]:
    start = t("start it", "inicie")
    match kind:
        case "bot":
            return [("python bot.py", start)]
        case "billing":
            return [
                ("python billing.py invoices.csv", t("bill; twice is once", "cobre; sem repetir"))
            ]
        case "fastapi":
            return [("uvicorn --factory app:from_settings", start)]
        case _:
            return [
                ("python manage.py runserver", t("receive", "receba")),
                (
                    "python manage.py subscribe",
                    t("tell the server where to", "diga ao servidor para onde enviar"),
                ),
                ("evolution outbox run", t("send, in its own process", "envie, em outro processo")),
            ]

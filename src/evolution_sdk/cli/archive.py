"""``evolution archive``: searching and exporting the local backup of messages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._cli.frame import DONE, CommandParser, exit_codes, guarded, program
from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import add_settings, add_shape, moment, settings_of, whole_number
from evolution_sdk._cli.output import print_json, print_table, print_text
from evolution_sdk._sql.dialect import is_postgres
from evolution_sdk.errors import ArchiveError, RequestValidationError
from evolution_sdk.identity import PhoneNumber
from evolution_sdk.models.base import to_iso

if TYPE_CHECKING:
    from evolution_sdk.archive import Archive
    from evolution_sdk.archive.records import ArchivedMessage

__all__ = ["main", "parser"]

_FORMATS: Final = ("jsonl", "csv")
_LONGEST: Final = 120


def parser() -> CommandParser:
    """Make the parser of ``archive`` and its subcommands."""
    options = CommandParser(
        prog=f"{program()} archive",
        description=t(
            "The archive: a local backup of messages.",
            "O arquivo: uma cópia local das mensagens.",
        ),
        epilog=exit_codes(),
    )
    commands = options.add_subparsers(
        dest="command", required=True, metavar=t("COMMAND", "COMANDO")
    )
    search = _add(
        commands,
        "search",
        t(
            "list messages by their words, the newest first",
            "lista mensagens pelas palavras, as mais novas primeiro",
        ),
    )
    search.add_argument(
        "text",
        nargs="*",
        metavar=t("WORD", "PALAVRA"),
        help=t(
            "words that the text must have, whatever their case and accents; none for all",
            "palavras que o texto deve ter, com ou sem acentos e maiúsculas; nenhuma para todas",
        ),
    )
    search.add_argument(
        "--limit",
        type=whole_number,
        default=50,
        metavar="N",
        help=t("most messages (%(default)s)", "máximo de mensagens (%(default)s)"),
    )
    export = _add(
        commands,
        "export",
        t("write messages as JSON Lines or CSV", "grava mensagens como JSON Lines ou CSV"),
    )
    export.add_argument(
        "--format",
        choices=_FORMATS,
        help=t(
            "default: by the name of --output, else jsonl",
            "padrão: pelo nome de --output, senão jsonl",
        ),
    )
    export.add_argument(
        "--output",
        type=Path,
        metavar=t("PATH", "CAMINHO"),
        help=t("the file; default: standard output", "o arquivo; padrão: saída padrão"),
    )
    return options


def _add(commands: Any, name: str, words: str) -> CommandParser:
    made: CommandParser = commands.add_parser(
        name, help=words, description=f"{words[:1].upper()}{words[1:]}.", epilog=exit_codes()
    )
    made.add_argument(
        "--store",
        metavar=t("PLACE", "LUGAR"),
        help=t(
            "a SQLite file or a postgresql:// address; default: EVOLUTION_STORE_PATH, which no "
            "process list shows",
            "um arquivo SQLite ou um endereço postgresql://; padrão: EVOLUTION_STORE_PATH, que não "
            "aparece na lista de processos",
        ),
    )
    made.add_argument(
        "--instance", metavar=t("NAME", "NOME"), help=t("only this instance", "só esta instância")
    )
    made.add_argument(
        "--chat",
        type=_chat,
        metavar="JID",
        help=t("only this chat: phone or JID", "só esta conversa: telefone ou JID"),
    )
    made.add_argument(
        "--kind",
        metavar=t("KIND", "TIPO"),
        help=t("only this kind, such as text or image", "só este tipo, como text ou image"),
    )
    for option, words_of in (
        (
            "--since",
            t("only from then on: 2h, 30d, or ISO 8601", "só a partir daí: 2h, 30d ou ISO 8601"),
        ),
        ("--until", t("only up to then: 2h, 30d, or ISO 8601", "só até aí: 2h, 30d ou ISO 8601")),
    ):
        made.add_argument(option, type=moment, metavar=t("TIME", "TEMPO"), help=words_of)
    add_settings(made)
    add_shape(made)
    return made


def _chat(text: str) -> str:
    if "@" in text:
        return text
    try:
        return str(PhoneNumber.parse(text).jid)
    except RequestValidationError as wrong:
        raise argparse.ArgumentTypeError(
            t(
                f"{text!r} is no phone number or JID ({wrong.rule})",
                f"{text!r} não é um telefone nem um JID ({wrong.rule})",
            )
        ) from None


def main(argv: Sequence[str]) -> int:
    """Run a subcommand.

    Args:
        argv: The arguments after ``archive``.

    Returns:
        The exit code: 0 done, 2 a wrong option or setting, 3 the archive cannot be read.
    """
    arguments = parser().parse_args(argv)
    return guarded(f"archive {arguments.command}", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from evolution_sdk.archive import Archive

    place: str = arguments.store or settings_of(arguments, needs_server=False).store.path
    if not is_postgres(place) and not Path(place).is_file():
        # It would be made: a wrong path must not look like an empty archive.
        raise ArchiveError(
            t(
                f"there is no file {place}. Name it with --store or EVOLUTION_STORE_PATH.",
                f"não há arquivo {place}. Indique com --store ou EVOLUTION_STORE_PATH.",
            )
        )
    archive = Archive(place)
    try:
        return (_search if arguments.command == "search" else _export)(archive, arguments)
    finally:
        archive.close()


def _filters(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("instance", "chat", "kind", "since", "until")
    given = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _search(archive: Archive, arguments: argparse.Namespace) -> int:
    filters = {**_filters(arguments), "limit": arguments.limit}
    words = " ".join(arguments.text)
    found = archive.search(words, **filters) if words else archive.messages(**filters)
    if arguments.json:
        print_json({"messages": [_json(message) for message in found]})
    elif not found:
        print_text(t("no messages", "nenhuma mensagem"))
    else:
        titles = (
            t("time (UTC)", "hora (UTC)"),
            t("instance", "instância"),
            t("chat", "conversa"),
            t("who", "quem"),
            t("text", "texto"),
        )
        print_table(titles, [_row(message) for message in found])
    return DONE


def _row(message: ArchivedMessage) -> tuple[str, ...]:
    who = t("me", "eu") if message.from_me else message.push_name or message.sender or "-"
    text = message.text or ""
    shown = f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
    return (
        f"{message.timestamp.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        message.instance or "-",
        message.chat.removesuffix("@s.whatsapp.net"),
        who,
        shown if message.kind == "text" else f"[{message.kind}] {shown}".rstrip(),
    )


def _json(message: ArchivedMessage) -> dict[str, Any]:
    return {
        "timestamp": to_iso(message.timestamp),
        "instance": message.instance,
        "chat": message.chat,
        "from_me": message.from_me,
        "sender": message.sender,
        "push_name": message.push_name,
        "kind": message.kind,
        "text": message.text,
        "status": message.status,
        "id": message.id,
        "quoted_id": message.quoted_id,
        "edited_at": None if message.edited_at is None else to_iso(message.edited_at),
        "deleted_at": None if message.deleted_at is None else to_iso(message.deleted_at),
    }


def _export(archive: Archive, arguments: argparse.Namespace) -> int:
    output: Path | None = arguments.output
    by_name = "csv" if output is not None and output.suffix.lower() == ".csv" else "jsonl"
    export = archive.export_csv if (arguments.format or by_name) == "csv" else archive.export_jsonl
    count = export(sys.stdout if output is None else output, **_filters(arguments))
    if output is not None:
        if arguments.json:
            print_json({"messages": count, "output": str(output)})
        else:
            print_text(
                t(
                    f"{count} messages written to {output}",
                    f"{count} mensagens gravadas em {output}",
                )
            )
    return DONE

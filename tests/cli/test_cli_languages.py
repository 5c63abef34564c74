"""Every command speaks English and Portuguese, and tells its exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from cli.command_kit import Evolution
from evolution_sdk._cli.language import Language, use
from evolution_sdk.cli.commands import COMMANDS

# A command whose codes tell health instead.
OWN_CODES = {"monitor": ("exit codes:", "códigos de saída:")}


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for made in action.choices.values():
                yield from _parsers(made)


def _parsers_of(name: str, language: Language) -> list[argparse.ArgumentParser]:
    use(language)
    return list(_parsers(COMMANDS[name].load().parser()))


def _words(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Every text of a parser, and where it stands."""
    yield "description", parser.description or ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action._choices_actions:
                yield each.dest, each.help or ""
        elif action.help != argparse.SUPPRESS:
            yield "/".join(action.option_strings) or action.dest, action.help or ""
    for group in parser._action_groups:
        if group._group_actions:
            yield "group", group.title or ""


def _there() -> list[str]:
    return [name for name, each in COMMANDS.items() if find_spec(f"evolution_sdk.{each.module}")]


every_command = pytest.mark.parametrize("name", _there())


@every_command
def test_every_text_is_in_both_languages(name: str) -> None:
    english, portuguese = _parsers_of(name, "en"), _parsers_of(name, "pt")
    assert len(english) == len(portuguese)
    for en, pt in zip(english, portuguese, strict=True):
        for (where, words), (_, other) in zip(_words(en), _words(pt), strict=True):
            assert words, f"{en.prog} {where} has no help"
            assert other, f"{en.prog} {where} has no help in Portuguese"
            assert words != other or where == "shell", f"{en.prog} {where}: {words}"


@every_command
def test_exit_codes_are_told(name: str) -> None:
    for place, language in enumerate[Language](("en", "pt")):
        for parser in _parsers_of(name, language):
            title = ("exit codes:", "códigos de saída:")[place]
            assert title in (parser.epilog or ""), parser.prog
            if name not in OWN_CODES:
                done = ("0    done", "0    feito")[place]
                assert done in (parser.epilog or ""), parser.prog


@every_command
def test_commands_have_one_form(name: str, evolution: Evolution) -> None:
    """The same options in both languages, no abbreviations, errors of one line."""
    for en, pt in zip(_parsers_of(name, "en"), _parsers_of(name, "pt"), strict=True):
        assert [each.option_strings for each in en._actions] == [
            each.option_strings for each in pt._actions
        ]
        assert en.allow_abbrev is False
        told = evolution.run(lambda en=en: en.error("nonsense"))
        assert told.err.count("\n") == 1
        assert told.code == (3 if name == "monitor" else 2)


@pytest.mark.parametrize(
    ("arguments", "english", "portuguese"),
    [
        (["nix"], "invalid choice: 'nix' (choose from ", "escolha inválida: 'nix' (escolha entre "),
        (["outbox"], "the following arguments are required: COMMAND", "faltam argumentos: COMANDO"),
        (["outbox", "list", "--limit"], "argument --limit: expected one", "falta o valor"),
        (["outbox", "list", "--nix"], "unrecognized arguments: --nix", "argumentos desconhecidos"),
        (["outbox", "list", "--json=1"], "ignored explicit argument '1'", "não aceita valor: '1'"),
        (["outbox", "show"], "are required: KEY", "faltam argumentos: CHAVE"),
        (["outbox", "resolve", "a"], "one of the arguments --sent", "é preciso um destes"),
        (["outbox", "cancel"], "required: KEY", "faltam argumentos: CHAVE"),
        (
            ["outbox", "resolve", "a", "--sent", "--not-sent"],
            "argument --not-sent: not allowed with argument --sent",
            "argumento --not-sent: não pode ser usado junto com --sent",
        ),
        (
            ["fake-server", "--api-key", "k", "--port", "x"],
            "argument --port: invalid int value: 'x'",
            "argumento --port: valor inválido: 'x' (esperado: número inteiro)",
        ),
        (["outbox", "list", "--since", "3x"], "is no time", "não é um horário"),
        (["outbox", "purge", "--older-than", "3x"], "no length of time", "não é uma duração"),
    ],
)
def test_what_argparse_says_of_wrong_arguments(
    arguments: list[str], english: str, portuguese: str, evolution: Evolution
) -> None:
    told = evolution(*arguments)
    assert (told.code, told.out) == (2, "")
    assert english in told.err
    assert "see python -m evolution_sdk" in told.err
    told = evolution("--lang", "pt", *arguments)
    assert (told.code, told.out) == (2, "")
    assert portuguese in told.err
    assert "veja python -m evolution_sdk" in told.err
    assert told.err.count("\n") == 1


def test_help_is_in_the_language_of_the_environment(
    evolution: Evolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "pt_BR.UTF-8")
    told = evolution("--help")
    for words in ("uso: ", "argumentos:", "opções:", "comandos:", "mostra esta ajuda e sai"):
        assert words in told.out
    assert "usage" not in told.out
    assert "usage: " in evolution("--help", "--lang", "en").out


def test_a_language_that_there_is_not(evolution: Evolution) -> None:
    told = evolution("--lang", "tlh", "outbox", "list")
    assert told.code == 2
    assert "--lang: 'tlh' is not one of en, pt" in told.err


def test_outbox_and_monitor_print_portuguese(evolution: Evolution) -> None:
    evolution("outbox", "migrate")
    assert evolution("--lang", "pt", "outbox", "list").out == "nenhuma mensagem\n"
    told = evolution("--lang", "pt", "outbox", "show", "nix")
    assert "não há mensagem com a chave 'nix'" in told.err
    told = evolution("--lang", "pt", "outbox", "migrate")
    assert "as tabelas já são da versão" in told.out

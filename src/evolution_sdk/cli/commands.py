"""Table of the commands of ``evolution``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

from evolution_sdk._cli.language import t

__all__ = ["COMMANDS", "Command"]


class Command(NamedTuple):
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

    @property
    def words(self) -> str:
        """Its purpose, in the chosen language."""
        return t(self.en, self.pt)

    def load(self) -> Any:
        """Import its module.

        Raises:
            ImportError: It cannot be imported.
        """
        return import_module(f"evolution_sdk.{self.module}")


COMMANDS: Final[Mapping[str, Command]] = {
    "doctor": Command(
        "cli.doctor",
        "check server, key, licence, instances, webhook and stores, and say what to do",
        "verifica servidor, chave, licença, instâncias, webhook e bancos, e diz o que fazer",
    ),
    "connect": Command(
        "cli.connect",
        "link a phone: QR code in the terminal, as a file, or a pairing code",
        "conecta um telefone: QR code no terminal, em arquivo, ou código de pareamento",
    ),
    "send": Command("cli.send", "send a text or a file", "envia um texto ou um arquivo"),
    "instances": Command(
        "cli.instances", "list the instances and their states", "lista as instâncias e seus estados"
    ),
    "tail": Command(
        "cli.tail",
        "print events as they come, by socket or RabbitMQ",
        "mostra os eventos ao vivo, por socket ou RabbitMQ",
    ),
    "listen": Command(
        "cli.listen",
        "receive webhooks here, and put the former one back at the end",
        "recebe webhooks aqui e devolve o webhook anterior ao sair",
    ),
    "events": Command("cli.events", "replay events from a file", "reproduz eventos de um arquivo"),
    "monitor": Command(
        "monitor.cli",
        "watch the health of a server and its instances",
        "acompanha a saúde do servidor e das instâncias",
    ),
    "console": Command(
        "cli.console",
        "serve the live console: health, delivery, outbox, alerts in one page",
        "abre o painel ao vivo: saúde, entrega, outbox e alertas em uma página",
    ),
    "outbox": Command(
        "outbox.cli",
        "send, list and settle messages that were handed over",
        "envia, lista e resolve as mensagens do outbox",
    ),
    "archive": Command(
        "cli.archive",
        "search or export the archive of messages",
        "busca ou exporta o arquivo de mensagens",
    ),
    "grafana": Command(
        "cli.grafana",
        "write the dashboard and the rules for Grafana and Prometheus",
        "grava o painel e as regras para Grafana e Prometheus",
    ),
    "fake-server": Command(
        "testing.cli",
        "run a fake Evolution API server for tests and demos",
        "roda um servidor Evolution API falso, para testes e demonstrações",
    ),
    "new": Command(
        "cli.new",
        "make a small project with tests that run at once",
        "cria um pequeno projeto com testes que já rodam",
    ),
    "docker": Command(
        "cli.docker",
        "write a compose.yaml with the server and its databases",
        "grava um compose.yaml com o servidor e seus bancos",
    ),
    "completion": Command(
        "cli.completion",
        "print the completion script of a shell",
        "mostra o script de autocompletar do shell",
    ),
}
"""The commands by name, in the order of the help."""

"""Options and loop of ``python -m evolution_sdk monitor``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from evolution_sdk._cli.frame import CommandParser, program
from evolution_sdk._cli.language import t
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import AuthenticationError, ConfigurationError, EvolutionError
from evolution_sdk.monitor.alert import Alert, take_end
from evolution_sdk.monitor.events import AlertRaised, AlertResolved
from evolution_sdk.monitor.export.extras import load
from evolution_sdk.monitor.schedule import CheckSchedule
from evolution_sdk.monitor.service import EvolutionMonitorService

from .snapshot import EXIT_CODES, Snapshot
from .view import render, require_rich

__all__ = ["main", "parser"]

_CANNOT_TELL: Final = EXIT_CODES["unknown"]
_SAMPLES: Final = 60
_ALERTS: Final = 20


def _exit_codes() -> str:
    return t(
        """\
exit codes:
  0    healthy
  1    degraded
  2    unhealthy
  3    unknown, also when an option or setting is wrong
Ctrl-C ends the view and exits by the last health.""",
        """\
códigos de saída:
  0    saudável (healthy)
  1    degradado (degraded)
  2    com falha (unhealthy)
  3    desconhecido (unknown), também quando uma opção ou configuração está errada
Ctrl-C encerra a tela e sai com o código da última saúde.""",
    )


def parser() -> CommandParser:
    """Make the parser of the options."""
    options = CommandParser(
        # argparse's 2 would say that the server is unhealthy.
        wrong=_CANNOT_TELL,
        prog=f"{program()} monitor",
        description=t(
            "Watch the health of a server and its instances.",
            "Acompanha a saúde do servidor e das instâncias.",
        ),
        epilog=_exit_codes(),
    )
    options.add_argument(
        "--url",
        help=t(
            "URL of the server; default: EVOLUTION_API_URL",
            "URL do servidor; padrão: EVOLUTION_API_URL",
        ),
    )
    options.add_argument(
        "--api-key",
        metavar=t("KEY", "CHAVE"),
        help=t(
            "its key; default: EVOLUTION_API_KEY, which no process list shows",
            "a chave; padrão: EVOLUTION_API_KEY, que não aparece na lista de processos",
        ),
    )
    options.add_argument(
        "--instance",
        action="append",
        metavar=t("NAME", "NOME"),
        help=t(
            "an instance to watch, repeatable, * for all; default: the settings, else all",
            "uma instância a acompanhar, repetível, * para todas; padrão: as das configurações, "
            "senão todas",
        ),
    )
    options.add_argument(
        "--interval-ms",
        type=float,
        metavar="MS",
        help=t(
            "time between two checks; default: the settings (5000)",
            "tempo entre duas verificações; padrão: o das configurações (5000)",
        ),
    )
    options.add_argument(
        "--history-path",
        metavar=t("PATH", "CAMINHO"),
        help=t(
            "SQLite file that keeps samples over restarts; default: the settings",
            "arquivo SQLite que guarda as medições; padrão: o das configurações",
        ),
    )
    options.add_argument(
        "--once", action="store_true", help=t("check once and exit", "verifica uma vez e sai")
    )
    options.add_argument(
        "--json",
        action="store_true",
        help=t(
            "print one JSON object per check, not a view",
            "mostra um objeto JSON por verificação, em vez da tela",
        ),
    )
    return options


def main(
    argv: Sequence[str],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Watch until interrupted, or check once.

    Args:
        argv: The arguments after ``monitor``.
        clock: Seconds that never go back.
        sleep: Blocks for some seconds.

    Returns:
        The exit code: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown or cannot tell.
    """
    arguments = parser().parse_args(argv)
    try:
        if not arguments.json:
            require_rich()
        with ExitStack() as stack:
            monitor = _monitor(stack, arguments)
            interval = _interval(arguments, monitor)
            ticks = CheckSchedule(interval, clock)
            return _watch(_Watched(monitor, interval), arguments, ticks, sleep)
    except (ConfigurationError, AuthenticationError) as wrong:
        sys.stderr.write(f"{program()} monitor: {wrong}\n")
    except KeyboardInterrupt:
        # Before the first check was over: nothing is known.
        pass
    except BrokenPipeError:
        # The reader of the output has gone: flushing at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _CANNOT_TELL


class _Watched:
    """Keeps a monitor and the alerts it has told."""

    def __init__(self, monitor: EvolutionMonitorService, interval_ms: float) -> None:
        self.monitor = monitor
        # All of a history file may be millions of samples.
        self._minutes = _SAMPLES * interval_ms / 60_000
        self._alerts: deque[Alert] = deque(maxlen=_ALERTS)
        monitor.on("alertRaised", self._alert)
        monitor.on("alertResolved", self._alert)

    def check(self, *, wait: bool = False) -> Snapshot:
        self.monitor.check_health_sync()
        if wait:
            self.monitor.wait_for_version()
            # A single check would not judge a version that came after it.
            if self.monitor.get_health_status().details.get("notes"):
                self.monitor.check_health_sync()
        return Snapshot(
            self.monitor.get_health_status(),
            self.monitor.get_history(self._minutes)[-_SAMPLES:],
            tuple(self._alerts),
            self.monitor.config.base_url,
        )

    def _alert(self, event: AlertRaised | AlertResolved) -> None:
        # One that was raised just now is not there yet, and is added.
        take_end(self._alerts, event.alert)


def _monitor(stack: ExitStack, arguments: argparse.Namespace) -> EvolutionMonitorService:
    from evolution_sdk import EvolutionClient

    config = EvolutionConfig.from_env(base_url=arguments.url, api_key=arguments.api_key)
    instances = arguments.instance or config.monitoring.instances or config.instance or "*"
    client = stack.enter_context(EvolutionClient(config=config))
    if "*" in instances:
        _check_key(client, config.monitoring.probes.timeout_ms)
    history = config.monitoring.history
    if arguments.history_path is not None:
        history = history.replace(path=arguments.history_path)
    monitor = EvolutionMonitorService(
        client,
        instances=instances,
        interval_ms=arguments.interval_ms,
        history=history,
        sinks=(),  # the service that runs the business sends the alerts
        recovery=False,
    )
    return stack.enter_context(monitor)


def _check_key(client: Any, timeout_ms: float) -> None:
    """Refuse a wrong key: a server that hides all its instances would look healthy.

    Raises:
        AuthenticationError: The server does not take the key.
    """
    try:
        client.instances.fetch(retry=False, timeout_ms=timeout_ms)
    except AuthenticationError:
        raise
    except EvolutionError:
        # Anything else is for the checks to tell.
        return


def _interval(arguments: argparse.Namespace, monitor: EvolutionMonitorService) -> float:
    given: float | None = arguments.interval_ms
    return monitor.config.monitoring.interval_ms if given is None else given


def _watch(
    watched: _Watched,
    arguments: argparse.Namespace,
    ticks: CheckSchedule,
    sleep: Callable[[float], object],
) -> int:
    shown = watched.check(wait=arguments.once)
    try:
        with ExitStack() as stack:
            show = _print_json if arguments.json else _shower(stack, once=arguments.once)
            show(shown)
            while not arguments.once:
                sleep(ticks.wait_s())
                shown = watched.check()
                show(shown)
    except KeyboardInterrupt:
        # The usual end; also while the first line is being written.
        pass
    return shown.exit_code


def _print_json(snapshot: Snapshot) -> None:
    sys.stdout.write(f"{json.dumps(snapshot.to_dict())}\n")
    sys.stdout.flush()


def _shower(stack: ExitStack, *, once: bool) -> Callable[[Snapshot], None]:
    console: Any = load("rich.console", "cli", "The terminal view").Console()
    if once:
        return lambda snapshot: console.print(render(snapshot))
    live: Any = load("rich.live", "cli", "The terminal view").Live(
        console=console, auto_refresh=False, screen=console.is_terminal
    )
    stack.enter_context(live)
    return lambda snapshot: live.update(render(snapshot), refresh=True)

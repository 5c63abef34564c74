"""Log lines about what the probes of a monitor meet, told once and not at every check."""

from __future__ import annotations

from typing import Final

from evolution_sdk._base.quiet_log import QuietLog

from .probe import InstanceReading, ProbeReport

__all__ = ["OutageLog"]

_DEAD: Final = "its socket is dead, although it is open"
_WORDS: Final[dict[str | None, str]] = {
    "missing": "the server does not know it",
    "unauthorized": "the key was refused",
    "unanswered": "its state was not told",
}


class OutageLog:
    """Tells of a server or an instance that does not answer: its beginning, each minute, its end.

    Args:
        log: Where it is told.
    """

    def __init__(self, log: QuietLog) -> None:
        self._log = log

    def heard(self, probed: ProbeReport) -> None:
        """Take in what one check learned.

        Args:
            probed: What the server told.
        """
        server = probed.server
        if not server.reachable:
            # Of the instances nothing was learned.
            self._log.trouble("server", "the server does not answer: %s", server.failure)
            return
        self._log.over("server", "the server answers again")
        if probed.unlisted is not None:
            self._log.trouble("names", "the instances were not listed: %s", probed.unlisted)
        elif probed.names is not None:
            self._log.over("names", "the instances are listed again")
        for reading in probed.instances:
            self._instance(reading)

    def _instance(self, reading: InstanceReading) -> None:
        kind = ("instance", reading.name)
        words = _DEAD if reading.dead else _WORDS.get(reading.problem)
        if words is None:
            self._log.over(kind, "instance %s is well again", reading.name)
        else:
            self._log.trouble(kind, "instance %s: %s", reading.name, words)

"""Knowledge of one client about the version of its server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.operations.server_version import (
    NEWEST,
    ServerProfile,
    profile_of,
)

__all__ = ["KnownServer", "fixed_profile"]

_log = quiet_logger("evolution_sdk")

_LIFE_S = 60.0
"""Time for which a version is believed where it would refuse a call: servers are upgraded."""
_PAUSE_S = 60.0
"""Time for which a server that did not tell its version is left alone."""


def fixed_profile(version: str | None) -> ServerProfile | None:
    """Make the profile of a version that the settings fix.

    Args:
        version: The version; None where it is to be found out.

    Raises:
        ConfigurationError: It is no version.
    """
    if version is None:
        return None
    profile = profile_of(version)
    if profile is None:
        raise ConfigurationError(
            "server_version: must be a version, such as 2.3.7. Give EVOLUTION_SERVER_VERSION as "
            "GET / of the server tells it, or leave it out.",
            variable="EVOLUTION_SERVER_VERSION",
        )
    return profile


class KnownServer:
    """The version of a server as last told, and if it may still be believed. Thread-safe.

    Args:
        fixed: The version that the settings fix; None where it is to be found out.
        now: Seconds that never go back.
        on_change: Called when the server turns out to be another one than before.
    """

    def __init__(
        self,
        fixed: ServerProfile | None,
        now: Callable[[], float],
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self.profile: ServerProfile | None = fixed
        self.fixed: bool = fixed is not None
        self._now = now
        self._told_at = 0.0
        self._stale = False
        self._failed_at: float | None = None
        self._develop_asked = False
        self._develop_failed_at: float | None = None
        self._on_change = on_change
        self._lock = free_in_child(threading.Lock())
        self._warn(None, fixed)

    @property
    def version(self) -> str | None:
        """The version as the server tells it; None while it is not known."""
        profile = self.profile
        return None if profile is None else profile.version.text

    @property
    def fresh(self) -> bool:
        """True if the version need not be asked again."""
        if self.fixed:
            return True
        known = self.profile is not None and not self._stale
        return known and self._now() - self._told_at < _LIFE_S

    @property
    def may_ask(self) -> bool:
        """False for a while after the server did not tell."""
        failed = self._failed_at
        return failed is None or self._now() - failed >= _PAUSE_S

    @property
    def develop_unasked(self) -> bool:
        """True where only a route tells 2.3.7 from a build of 2.4 that calls itself so."""
        profile, failed = self.profile, self._develop_failed_at
        if profile is None or not profile.calls_itself_stable or self.fixed:
            return False
        paused = failed is not None and self._now() - failed < _PAUSE_S
        return not self._develop_asked and not paused

    def told(self, version: str) -> None:
        """Take the version from an answer of the server.

        Args:
            version: As it wrote it; empty where it wrote none.
        """
        found = profile_of(version)
        if found is None:
            self.failed()
            return
        with self._lock:
            before = self.profile
            self._failed_at = None
            if self.fixed:
                return
            was_fresh = self.fresh
            self._told_at, self._stale = self._now(), False
            same = before is not None and before.version == found.version
            if not same:
                self.profile = found
            # A build of 2.4 may have been replaced by the 2.3.7 that it called itself.
            if not same or not was_fresh:
                self._develop_asked = False
        if not same:
            # One that is told for the first time is not another one.
            if before is not None:
                self._on_change()
            self._warn(before, found)

    def told_develop(self, develop: bool) -> None:
        """Take what a route told: if a server that calls itself 2.3.7 is a build of 2.4.

        Args:
            develop: True if it is.
        """
        with self._lock:
            profile = self.profile
            self._develop_asked, self._develop_failed_at = True, None
            changed = profile is not None and profile.develop is not develop
            if profile is not None and changed:
                self.profile = replace(profile, develop=develop)
        if changed:
            self._on_change()

    def develop_failed(self) -> None:
        """Note that the server's routes did not tell: they are left alone for a while."""
        with self._lock:
            self._develop_failed_at = self._now()

    def failed(self) -> None:
        """Note that the server did not tell its version."""
        with self._lock:
            self._failed_at = self._now()

    def doubt(self) -> None:
        """Ask again before the version counts: the server was away, or answered unlike it."""
        with self._lock:
            self._stale, self._develop_asked = True, False

    def _warn(self, before: ServerProfile | None, profile: ServerProfile | None) -> None:
        """Say once what a user should know of a version."""
        if profile is None:
            return
        version = profile.version
        if version.is_too_old:
            _log.warning(
                "the server is version %s of the Evolution API: this SDK speaks to version 2 "
                "only, so that most calls will fail. Upgrade the server", version.text,
            )  # fmt: skip
        elif version.is_newer:
            _log.warning(
                "the server is version %s, newer than this SDK knows (%s). Calls go on as for "
                "%s; look for a newer SDK", version.text, NEWEST, NEWEST,
            )  # fmt: skip
        elif before is not None:
            _log.warning(
                "the server changed its version from %s to %s", before.version, version.text
            )

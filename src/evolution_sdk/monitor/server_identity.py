"""Statements of a server about itself: its version and its licence, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from evolution_sdk._base.redact import headline
from evolution_sdk.operations.server_version import NEWEST, OLDEST_MAJOR, profile_of

from .alert import Alert
from .health import HealthFinding

__all__ = ["ServerIdentity"]

# How long an alert about a version lasts, and how long two versions count as told side by side.
_LASTS_S: Final = 3_600.0
_LONGEST: Final = 60
# A server that tells another version each time must not fill the memory.
_MOST_VERSIONS: Final = 8


class ServerIdentity:
    """Keeps version and licence of the server behind one address, and judges them.

    Args:
        fixed: The version that the settings fix for calls; None where they do not.

    Attributes:
        version: The version that was told last; None before one was.
        license: State of the licence: ``active``, ``inactive`` or ``pending``; None where it is not
            known, or the server needs none.
        has_license_routes: Whether the server answers ``GET /license/status``, as far as its
            version tells.
        findings: What its version means for health.
        details: All of it by name, for reports.
    """

    def __init__(self, fixed: str | None = None) -> None:
        self._fixed = fixed
        self.version: str | None = None
        self.license: str | None = None
        self._unreadable: str | None = None
        self._locked = False
        self._told_at: dict[str, float] = {}
        self._in_turn = False
        self._alert_until: float | None = None
        self.has_license_routes: bool = False
        self.findings: tuple[HealthFinding, ...] = ()
        self.details: Mapping[str, Any] = {}
        self._describe()

    @property
    def others(self) -> tuple[str, ...]:
        """Other versions that the same address told lately, in turn with this one."""
        if not self._in_turn:
            return ()
        return tuple(version for version in self._told_at if version != self.version)

    def told(self, version: str, now: float, at: float) -> Alert | None:
        """Take in a version.

        Args:
            version: As the server wrote it; empty where it wrote none.
            now: Seconds that never go back.
            at: The same moment, in unix seconds.

        Returns:
            An alert, where it is another one than before.
        """
        text = headline(version)[:_LONGEST].strip() if version.strip() else ""
        profile = profile_of(text)
        # As the client writes it, so that the two are not taken for different ones.
        text = text if profile is None else profile.version.text
        self._unreadable = text if profile is None else None
        alert = self._changed(text, now, at) if text else None
        self._describe()
        return alert

    def _changed(self, text: str, now: float, at: float) -> Alert | None:
        before, self.version = self.version, text
        returned = text in self._told_at
        self._told_at.pop(text, None)
        self._told_at[text] = now
        while len(self._told_at) > _MOST_VERSIONS:
            del self._told_at[next(iter(self._told_at))]
        if before is None or before == text:
            return None
        self._alert_until = now + _LASTS_S
        if not returned:
            words = f"the server changed its version from {before} to {text}"
            return Alert("server_version_changed", "warning", words, at)
        if self._in_turn:
            return None
        self._in_turn = True
        words = (
            f"the server tells version {before} and {text} in turn: several servers answer under "
            "one address, or a change of version was taken back"
        )
        return Alert("server_versions_differ", "warning", words, at)

    def licensed(self, state: str) -> None:
        """Take in the state of the licence, as ``GET /license/status`` tells it."""
        if not self._locked:
            self.license = headline(state)[:_LONGEST]
            self._describe()

    def gate(self, *, locked: bool) -> None:
        """Take in whether the server refused everything for want of a licence.

        Args:
            locked: True if it did; False if it answered.
        """
        if locked == self._locked:
            return
        # Once it answers again, it is active, or was replaced by one that needs no licence.
        self._locked = locked
        self.license = "inactive" if locked else None
        self._describe()

    def is_settled(self, now: float) -> bool:
        """Tell once if the last alert about the version is over.

        Args:
            now: Seconds that never go back.
        """
        if self._alert_until is None or now < self._alert_until:
            return False
        self._alert_until, self._in_turn = None, False
        current = self.version
        self._told_at = {name: told for name, told in self._told_at.items() if name == current}
        self._describe()
        return True

    def _describe(self) -> None:
        """Say anew what follows; here and not per check, since it rarely changes."""
        findings: list[HealthFinding] = []
        notes: list[str] = []
        profile = profile_of(self.version or "")
        self.has_license_routes = profile is not None and profile.has("license_gate")
        if profile is not None and profile.version.is_too_old:
            words = (
                f"the server is version {self.version} of the Evolution API: this SDK speaks to "
                f"version {OLDEST_MAJOR} only. Upgrade the server"
            )
            findings.append(HealthFinding("unhealthy", words, hard=True))
            notes.append(words)
        elif profile is not None and profile.version.is_newer:
            notes.append(
                f"the server is version {self.version}, newer than this SDK knows ({NEWEST}): "
                "look for a newer SDK"
            )
        if self._unreadable is not None:
            told = f"{self._unreadable!r}, which is none" if self._unreadable else "none"
            notes.append(
                f"the server was asked for its version and told {told}: set "
                "EVOLUTION_SERVER_VERSION if you know it"
            )
        if self._fixed is not None and profile is not None and self._fixed != self.version:
            fixed = profile_of(self._fixed)
            if fixed is None or fixed.version != profile.version:
                notes.append(
                    f"the settings say that the server is version {self._fixed}, and it tells "
                    f"{self.version}: calls go by the settings (EVOLUTION_SERVER_VERSION)"
                )
        if self.others:
            versions = ", ".join((*self.others, self.version or ""))
            notes.append(f"versions told under this address, in turn: {versions}")
        if self.license not in (None, "active") and not self._locked:
            notes.append(f"the server says that its licence is {self.license}")
        self.findings = tuple(findings)
        self.details = {
            "server_version": self.version,
            "other_server_versions": self.others,
            "license": self.license,
            "notes": tuple(notes),
        }

"""The watched instances: their names, and the memory of each between two checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from .probe import MOST_AT_ONCE, InstanceReading, ProbeReport

__all__ = ["ProbePlan", "Roster"]

_LIST_EVERY_S: Final = 60.0
# A list is made again after so many times as long as it took: 5 % of the server's time at most.
_LIST_SHARE: Final = 20
_DEAD_AGAIN_S: Final = 60.0
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """The questions of the next check.

    Attributes:
        instances: Names of the instances to ask for.
        deep: The instances to probe deeply.
        list_names: Whether to list the instances.
        own: The instances to ask for themselves, where the others are listed.
        states: The last list, where it is to be believed; None asks for a new one.
        known: What the last check read from a list, by name: thousands are not made anew.
    """

    instances: tuple[str, ...]
    deep: frozenset[str]
    list_names: bool
    own: tuple[str, ...] = ()
    states: Mapping[str, str] | None = None
    known: Mapping[str, InstanceReading] = field(default_factory=dict[str, InstanceReading])


class Roster:
    """Keeps the instances to watch: those that are named, and those that the server lists.

    Args:
        instances: Names of the instances to watch; ``*`` stands for all of the server.
        deep_probe_ms: Time between two deep probes of a socket, in milliseconds; None for none.

    Attributes:
        watched: Names of the watched instances.
        watches_all: Whether all instances of the server are to be watched.
        unlisted: Class of the error that came instead of the last list; None while all is well.
        planned_at: Time of the last plan, in seconds that never go back.
        dead: Instances whose socket is known to be dead.
    """

    def __init__(self, instances: Sequence[str], deep_probe_ms: float | None) -> None:
        self.watched: tuple[str, ...] = ()
        self._named = tuple(dict.fromkeys(name for name in instances if name != "*"))
        self.watches_all: bool = "*" in instances
        self.unlisted: str | None = None
        self.dead: set[str] = set()
        self._found: tuple[str, ...] = ()
        self._listed_at = _NEVER
        self._deep = None if deep_probe_ms is None else deep_probe_ms / 1_000
        self._deep_at: dict[str, float] = {}
        self._no_deep: set[str] = set()
        self._connecting: dict[str, float] = {}
        # When each was last asked for itself; the one asked longest ago comes first.
        self._asked_at: dict[str, float] = {}
        self.planned_at: float = _NEVER
        # The last list, and how long it is believed.
        self._states: Mapping[str, str] | None = None
        self._told_at = _NEVER
        self._pause_s = 0.0
        self._known: Mapping[str, InstanceReading] = {}
        self._keep_watched()

    def _keep_watched(self) -> None:
        """Note who is watched: made once per list, and not per question."""
        self.watched = tuple(dict.fromkeys((*self._named, *self._found)))

    @property
    def listed(self) -> bool:
        """True once the instances of the server were listed."""
        return self._listed_at > _NEVER

    def plan(self, now: float, doubtful: Callable[[str, float], bool] | None = None) -> ProbePlan:
        """Plan the next check.

        Args:
            now: Seconds that never go back.
            doubtful: Tells if the list is not enough to know an instance, by its name and the time
                when it was last asked for itself.

        Returns:
            Its questions.
        """
        watched = self.watched
        self.planned_at = now
        deep: frozenset[str] = frozenset()
        if self._deep is not None:
            deep = frozenset(name for name in watched if self._deep_due(name, now))
        # Without a single name, the list is all there is to prove the server by.
        many = len(watched) > MOST_AT_ONCE
        due = not watched or now - self._listed_at >= _LIST_EVERY_S
        states = self._states if many and now - self._told_at < self._pause_s else None
        due = due or (many and states is None)
        own: tuple[str, ...] = ()
        if many:
            # A few in turn: what the list says of each is proven now and then.
            turn = islice(self._asked_at, MOST_AT_ONCE)
            asked_at = self._asked_at
            doubted = (
                name
                for name in watched
                if doubtful is not None and doubtful(name, asked_at.get(name, _NEVER))
            )
            own = tuple(dict.fromkeys((*turn, *doubted)))
        return ProbePlan(watched, deep, self.watches_all and due, own, states, self._known)

    def update(self, report: ProbeReport, now: float) -> set[str]:
        """Take in a check.

        Args:
            report: The result of its probes.
            now: Seconds that never go back.

        Returns:
            Instances whose socket works, or is to be opened anew: calls that failed no longer
            count against it.
        """
        self._drop_deleted(report, now)
        if report.names is not None or report.unlisted is not None:
            self.unlisted = report.unlisted
        if report.names is not None:
            if report.names != self._found:
                self._found = report.names
                self._keep_watched()
            self._listed_at = now
        if report.states is not None and report.list_ms is not None:
            self._states, self._told_at = report.states, now
            # The server counts stored messages for it: one that is slow is not asked all the time.
            self._pause_s = min(_LIST_EVERY_S, _LIST_SHARE * report.list_ms / 1_000)
        self._note_asked(report)
        # A finding of the deep probe is of its check, not of the list.
        self._known = {
            each.name: each for each in report.instances if each.listed and each.dead is None
        }
        self._no_deep.update(report.no_deep_probe)
        return {each.name for each in report.instances if self._refresh(each, now)}

    def _note_asked(self, report: ProbeReport) -> None:
        """Remember who was asked for itself: as of the plan, before anything that came since."""
        asked_at = self._asked_at
        for reading in report.instances:
            if reading.listed:
                asked_at.setdefault(reading.name, _NEVER)
        for reading in report.instances:
            if not reading.listed:
                asked_at.pop(reading.name, None)
                asked_at[reading.name] = self.planned_at

    def _refresh(self, reading: InstanceReading, now: float) -> bool:
        """Remember one reading; tells if failed calls no longer count against the socket."""
        name, renewed = reading.name, reading.dead is False
        if reading.state == "connecting":
            self._connecting.setdefault(name, now)
        else:
            self._connecting.pop(name, None)
        if reading.state in ("close", "connecting"):
            # The old socket is gone, and with it the verdict about it.
            self.revive(name)
            renewed = True
        if self._deep is not None and reading.state == "open" and self._deep_due(name, now):
            self._deep_at[name] = now
        # None means that no deep probe was made: the last finding stands.
        if reading.dead is False:
            self.dead.discard(name)
        elif reading.dead:
            self.dead.add(name)
        return renewed

    def revive(self, name: str) -> None:
        """Forget that a socket was dead, and probe it deeply in the next check."""
        self.dead.discard(name)
        self._deep_at.pop(name, None)

    def forget(self, name: str) -> None:
        """Forget an instance that is no longer watched."""
        self._deep_at.pop(name, None)
        self._connecting.pop(name, None)
        self._asked_at.pop(name, None)
        self.dead.discard(name)
        self._no_deep.discard(name)

    def connecting_ms(self, name: str, now: float) -> float:
        """Return the time for which an instance has been connecting, in milliseconds."""
        since = self._connecting.get(name)
        return 0.0 if since is None else (now - since) * 1_000

    def count_open(self, report: ProbeReport) -> int | None:
        """Count the open instances.

        Args:
            report: The result of a check's probes.

        Returns:
            The count; None where it is not known: a 0 needs the state of every instance.
        """
        server = report.server
        if not server.reachable or server.by_calls or server.activate_at is not None:
            return None
        found = sum(
            each.state == "open" and each.name not in self.dead for each in report.instances
        )
        told = all(each.state or each.problem == "missing" for each in report.instances)
        return found if found or (told and self._complete(report)) else None

    def _complete(self, report: ProbeReport) -> bool:
        """Tell if all instances that are to be watched are known."""
        if self.watches_all:
            return self.unlisted is None and self.listed
        return bool(report.instances)

    def _drop_deleted(self, report: ProbeReport, now: float) -> None:
        """Let go of listed instances that are not there any more, and list anew soon."""
        missing = {each.name for each in report.instances if each.problem == "missing"}
        # An instance that the user named stays watched: that it is missing is a finding.
        deleted = missing.intersection(self._found).difference(self._named)
        if deleted:
            self._found = tuple(name for name in self._found if name not in deleted)
            self._keep_watched()
            self._listed_at = min(self._listed_at, now - _LIST_EVERY_S)

    def _deep_due(self, name: str, now: float) -> bool:
        if self._deep is None or name in self._no_deep:
            return False
        # A dead socket is looked at again soon, so that its recovery is seen.
        pause = min(self._deep, _DEAD_AGAIN_S) if name in self.dead else self._deep
        return now - self._deep_at.get(name, _NEVER) >= pause

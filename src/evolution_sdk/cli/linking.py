"""Linking a phone: asks the server again and again, and tells what changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from evolution_sdk.errors import (
    CircuitOpenError,
    EvolutionError,
    InstanceAlreadyExistsError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    ServerError,
    TransportError,
)
from evolution_sdk.models.instance import ConnectionStatus, ConnectResult

if TYPE_CHECKING:
    from evolution_sdk import EvolutionClient

__all__ = ["End", "Linking", "Teller"]

End: TypeAlias = Literal[
    "open", "already_open", "timeout", "gave_up", "no_channel", "pair_too_late"
]
"""Ends of a linking; only the first two are good."""

# Codes of WhatsApp come within seconds; without any for so long, something is wrong.
_NO_CODE_S: Final = 15.0
# After every time: that there is no code is told once.
_TOLD: Final = float("inf")
_CLOSED: Final = (ConnectionStatus.CLOSE, ConnectionStatus.REFUSED)
# A server that restarts meanwhile is waited for, and an instance that it has not loaded yet.
_PASSING: Final = (
    TransportError,
    CircuitOpenError,
    ServerError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
)


class Teller(Protocol):
    """Tells a person or a program what happens."""

    def created(self) -> None:
        """Tell that the instance was made."""

    def state(self, state: ConnectionStatus | None) -> None:
        """Tell a state that is new; None while the instance is not loaded."""

    def code(self, result: ConnectResult) -> None:
        """Show a code that is new."""

    def no_code(self) -> None:
        """Tell that the server gets no code from WhatsApp, and what may be wrong."""

    def trouble(self, error: EvolutionError) -> None:
        """Tell that the server does not answer now."""


@dataclass(slots=True)
class Linking:
    """Links an instance to a phone.

    Attributes:
        client: The client.
        name: The instance; it is made if it is missing.
        number: The phone, for a pairing code; None for QR codes.
        teller: Told what happens.
        clock: Seconds that never go back.
        sleep: Blocks for some seconds.
        poll_s: Pause between two questions, in seconds.
    """

    client: EvolutionClient
    name: str
    number: str | None
    teller: Teller
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    poll_s: float = 2.0
    _told: ConnectionStatus | Literal["nothing"] | None = "nothing"
    _shown: str | None = None
    _waits_since: float | None = None
    _in_trouble: bool = False

    def run(self, timeout_s: float) -> End:
        """Wait until it is open.

        Args:
            timeout_s: Longest wait, in seconds.

        Returns:
            The way it ended.

        Raises:
            EvolutionError: The first question failed, or a later one for good.
        """
        ends = self.clock() + timeout_s
        if self._first_state() is ConnectionStatus.OPEN:
            return "already_open"
        closed = 0
        while True:
            try:
                end = None if closed else self._ask_code()
                if end is not None:
                    return end
                left_s = ends - self.clock()
                if left_s <= 0:
                    return "timeout"
                self.sleep(min(self.poll_s, left_s))
                state = self._state()
                self._in_trouble = False
            except _PASSING as error:
                self._pass(error)
                if self.clock() >= ends:
                    return "timeout"
                self.sleep(self.poll_s)
                continue
            self._tell(state)
            if state is ConnectionStatus.OPEN:
                return "open"
            # Between the scan and `open` the server closes and opens its socket: a state that
            # stays is the end.
            closed = closed + 1 if state in _CLOSED and self._shown is not None else 0
            if closed > 1:
                return "gave_up"

    @property
    def any_code(self) -> bool:
        """True if any code was shown."""
        return self._shown is not None

    @property
    def told_no_code(self) -> bool:
        """True if it was told that there is none."""
        return self._waits_since == _TOLD

    def _first_state(self) -> ConnectionStatus | None:
        try:
            state = self._state()
        except InstanceNotFoundError:
            try:
                self.client.instances.create(self.name)
            except InstanceAlreadyExistsError:
                # It is there, and not loaded yet.
                state = None
            else:
                self.teller.created()
                state = self._state()
        self._tell(state)
        return state

    def _state(self) -> ConnectionStatus | None:
        return self.client.instances.connection_state(self.name).state

    def _tell(self, state: ConnectionStatus | None) -> None:
        if state != self._told:
            self._told = state
            self.teller.state(state)

    def _ask_code(self) -> End | None:
        """Read the present code, and show it if it is new."""
        result = self.client.instances.connect(self.name, number=self.number)
        if result.state is ConnectionStatus.OPEN:
            self._tell(ConnectionStatus.OPEN)
            return "open"
        code = result.code if self.number is None else result.pairing_code
        if code:
            self._waits_since = None
            if code != self._shown:
                self._shown = code
                self.teller.code(result)
        elif result.code:
            return "pair_too_late"
        elif result.count is None and result.instance is None:
            # An empty answer: other channels than Baileys have no codes.
            return "no_channel"
        else:
            self._count_the_wait()
        return None

    def _count_the_wait(self) -> None:
        now = self.clock()
        if self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since >= _NO_CODE_S:
            self._waits_since = _TOLD
            self.teller.no_code()

    def _pass(self, error: EvolutionError) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            self.teller.trouble(error)

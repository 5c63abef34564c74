"""Names of a call in events and log lines."""

from __future__ import annotations

import os
from itertools import count
from typing import Any, Final

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.redact import mask_phone
from evolution_sdk.errors import EvolutionError

__all__ = ["CallLabels", "phase_of", "status_of"]

_numbers: Final = count(1)


class CallLabels:
    """Names of one call.

    Args:
        operation: Name of the operation.
        instance: Instance it goes through, or None.
    """

    __slots__ = ("_request_id", "instance", "operation")

    def __init__(self, operation: str, instance: str | None) -> None:
        self.operation: str = operation
        self.instance: str | None = instance
        self._request_id: str | None = None

    @property
    def request_id(self) -> str:
        """Id that all lines of one call have in common; unique on one machine.

        The server does not know it: it gives its answers no id. It is made when the first line
        needs it.
        """
        if self._request_id is None:
            # The process id keeps forked workers apart, whose counters begin alike.
            self._request_id = f"{os.getpid():x}-{next(_numbers):x}"
        return self._request_id

    @property
    def shown_instance(self) -> str | None:
        """Instance for a log line, masked: some are named by their phone number."""
        return None if self.instance is None else mask_phone(self.instance)

    def fields(
        self,
        *,
        attempt: int,
        error: BaseException | None = None,
        delay_ms: float | None = None,
        elapsed_ms: float | None = None,
    ) -> dict[str, Any]:
        """Return the fields of a log record, the same ones in every line about a call."""
        return {
            "operation": self.operation,
            "instance": self.shown_instance,
            "request_id": self.request_id,
            "attempt": attempt,
            "phase": None if (phase := phase_of(error)) is None else phase.value,
            "status": status_of(error),
            "error": None if error is None else type(error).__name__,
            "delay_ms": delay_ms,
            "elapsed_ms": elapsed_ms,
        }


def phase_of(error: BaseException | None) -> Phase | None:
    """Return how far a failed call got; None for errors that do not say."""
    return error.phase if isinstance(error, EvolutionError) else None


def status_of(error: BaseException | None) -> int | None:
    """Return the HTTP status that an error holds, or None."""
    status = getattr(error, "status", None)
    return status if isinstance(status, int) and not isinstance(status, bool) else None

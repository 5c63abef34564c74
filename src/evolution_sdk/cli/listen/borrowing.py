"""Registering the webhook of an instance for a while, and putting the former one back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from evolution_sdk._cli.language import t
from evolution_sdk.cli.shown_url import shown_url
from evolution_sdk.errors import ConfigurationError

from .lending import Former, Loan, LoanFile

if TYPE_CHECKING:
    from evolution_sdk._sync.namespaces import Instance

__all__ = ["BorrowedWebhook", "Returned"]

Returned: TypeAlias = Literal["restored", "changed", "never"]
"""End of a loan: put back, changed by somebody else meanwhile, or never registered."""

_OPTIONS: Final[Any] = {"timeout_ms": 10_000.0}


class BorrowedWebhook:
    """The webhook of an instance, as long as another URL is registered.

    Args:
        instance: The instance.
        file: Keeps the former webhook, in case this process is killed.
    """

    def __init__(self, instance: Instance, file: LoanFile) -> None:
        self._instance = instance
        self._file = file
        self._ours: str | None = None
        self.former: Former = Former.of(None)
        self.left_over: bool = False

    def look(self) -> Former:
        """Read what is registered now; if a killed run left its own URL, what was before it.

        Returns:
            What will be put back.

        Raises:
            ConfigurationError: Another process has borrowed it and still runs.
            EvolutionError: The server did not tell.
        """
        found = self._instance.webhook.find(**_OPTIONS)
        self.former = Former.of(found)
        loan = self._file.read()
        if loan is None:
            return self.former
        if loan.is_running:
            raise ConfigurationError(
                t(
                    f"Another evolution listen (process {loan.process}) receives the events of "
                    "this instance; end it first.",
                    f"Outro evolution listen (processo {loan.process}) recebe os eventos desta "
                    "instância; encerre-o primeiro.",
                )
            )
        # Where somebody has registered another one since, that one counts.
        if loan.ours == self.former.url:
            self.former = loan.former
            self.left_over = True
        return self.former

    def register(self, url: str, events: Sequence[str], key: str) -> None:
        """Register another URL; the former webhook is kept in the file first.

        Args:
            url: The URL.
            events: Events to subscribe to; none for all.
            key: The server signs with it.

        Raises:
            EvolutionError: The server refused it.
            OSError: The file cannot be written.
        """
        self._file.write(Loan.taken(url, self.former))
        self._ours = url
        # base64 stays: on Baileys a change would outlast this run until the next connect.
        self._instance.webhook.set(url, events=tuple(events), headers={"jwt_key": key}, **_OPTIONS)

    def give_back(self) -> Returned:
        """Put the former webhook back, unless somebody else has changed it meanwhile.

        Returns:
            How it ended.

        Raises:
            EvolutionError: The server could not be told; the next run puts it back.
        """
        if self._ours is None:
            return "never"
        found = Former.of(self._instance.webhook.find(**_OPTIONS))
        if found.url != self._ours:
            self._file.forget()
            return "changed"
        former = self.former
        self._instance.webhook.set(
            former.url,
            events=former.events,
            enabled=former.enabled,
            by_events=former.by_events,
            headers=former.headers,
            **_OPTIONS,
        )
        self._file.forget()
        return "restored"

    def words(self) -> str:
        """Write the former webhook as it may be shown."""
        former = self.former
        if not former.url:
            return t("none", "nenhum")
        state = "" if former.enabled else t(" (switched off)", " (desligado)")
        return f"{shown_url(former.url)}{state}"

"""A thread that looks after a shared inbox while its receiver is open."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from evolution_sdk._base.forking import abandon, free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog

_log = logging.getLogger("evolution_sdk.webhooks")


class InboxKeeper:
    """Calls something again and again, sooner when it is woken; callable from any thread.

    Args:
        look: What is called; it may raise.
        every_s: Time between two calls, in seconds.
    """

    def __init__(self, look: Callable[[], object], every_s: float) -> None:
        self._look = look
        self._every_s = every_s
        self._trouble = QuietLog(_log)
        self._woken = free_in_child(threading.Event())
        self._thread: threading.Thread | None = None
        self._stopping = False
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        abandon(self._thread)
        self._thread = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._thread is None:
            self._stopping = False
            self._thread = threading.Thread(
                target=self._work, name="evolution-inbox-keeper", daemon=True
            )
            self._thread.start()

    def wake(self) -> None:
        """Have the next call made at once."""
        self._woken.set()

    def stop(self) -> None:
        """End, without waiting for a call under way."""
        self._stopping = True
        self._woken.set()
        self._thread = None

    def _work(self) -> None:
        mine = threading.current_thread()
        while True:
            self._woken.wait(self._every_s)
            if self._stopping or self._thread is not mine:
                return
            self._woken.clear()
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - the next look may go well
                # Only the class of the error is logged: its text may quote a message.
                why = type(error).__qualname__
                self._trouble.trouble("", "the inbox cannot be asked for events: %s", why)
            else:
                self._trouble.over("", "the inbox can be asked for events again")

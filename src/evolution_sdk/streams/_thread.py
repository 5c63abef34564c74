"""A stream in a thread of its own, for programs without an event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from evolution_sdk._base.forking import abandon, check, in_child
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import WaitTimeoutError

from ._stream import Stream

_log = logging.getLogger("evolution_sdk.streams")


@checked()
class StreamThread:
    """Runs streams in a thread until it is stopped; see :func:`run_in_thread`."""

    def __init__(self, make: Callable[[], Stream | list[Stream]], name: str) -> None:
        self._make = make
        self._name = name
        self._begin()
        in_child(self._begin_anew)

    def _begin(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self.streams: list[Stream] = []
        # A daemon: a handler that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._main, name=self._name, daemon=True)

    def _begin_anew(self) -> None:
        """Begin anew after a fork: the thread runs in the parent; this one may be started anew."""
        abandon(self._loop, *self.streams)
        self._begin()

    @property
    def running(self) -> bool:
        """True while the thread is alive."""
        return self._thread.is_alive()

    @property
    def error(self) -> BaseException | None:
        """Error that ended it, such as a refused key; None while it runs and after a stop."""
        return self._error

    def start(self) -> Self:
        """Start the thread.

        Returns:
            Itself.

        Raises:
            ConfigurationError: The streams could not be made.
        """
        check()
        self._thread.start()
        # The streams are made in the thread, in whose loop they live; their errors belong here.
        self._ready.wait()
        if self._error is not None and not self.streams:
            raise self._error
        return self

    def stop(self, timeout_ms: float = 30_000) -> None:
        """Take no more events, finish those begun, and end the thread.

        Args:
            timeout_ms: Longest wait, in milliseconds.

        Raises:
            WaitTimeoutError: A handler is still busy; the thread ends when it is done.
        """
        if self._loop is not None and self._thread.is_alive():
            # The loop may end by itself between the question and the call.
            with suppress(RuntimeError):
                for stream in self.streams:
                    self._loop.call_soon_threadsafe(stream.stop)
        self._thread.join(timeout_ms / 1_000)
        if self._thread.is_alive():
            raise WaitTimeoutError(
                f"The stream did not end within {timeout_ms:g} ms: a handler is still busy."
            )

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001  nobody hears what a thread raises: kept
            self._error = error
            if self.streams:  # else start() raises it
                _log.error("the streams have ended with %s", _names(error))
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        made = self._make()
        self.streams = list(made) if isinstance(made, list) else [made]
        self._ready.set()
        # A stream that fails, by a refused key, ends the others: the program learns of it.
        async with asyncio.TaskGroup() as group:
            for stream in self.streams:
                group.create_task(stream.run())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _names(error: BaseException) -> str:
    """Name the classes of errors; their texts may hold a key."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({_names(each) for each in inner}))
    return type(error).__name__


def run_in_thread(
    make: Callable[[], Stream | list[Stream]], *, name: str = "evolution-streams"
) -> StreamThread:
    """Run streams in a daemon thread with its own event loop.

    Plain handlers run in worker threads of that loop, one at a time per chat.

    Args:
        make: Makes the stream or streams; called in the thread, where they belong.
        name: The thread's name.

    Returns:
        The running thread; use it as a context manager or call ``stop()``.

    Raises:
        ConfigurationError: The streams could not be made.
    """
    return StreamThread(make, name).start()

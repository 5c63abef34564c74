"""Work beside a call that must never change its outcome: followers, books, logs.

A send that is done is done: an exception afterwards would tell the caller otherwise, who would then
send again. Therefore nothing gets out of here but ``KeyboardInterrupt``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from .handler_log import raised_at

__all__ = ["QuietLogger", "contain", "harmless", "quiet_logger"]


class QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose handlers and filters may fail without anybody being harmed."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log, or fail in silence: there is nowhere left to tell of it."""
        try:
            if self.logger.isEnabledFor(level):
                # One further up is who called us.
                kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
                self.logger.log(level, msg, *args, **kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S110 - a log line is worth less than what it tells of
            pass


def quiet_logger(name: str) -> QuietLogger:
    """The logger of a name, for lines that are written while a call is under way.

    Args:
        name: Name of the logger.

    Returns:
        A logger that never raises.
    """
    return QuietLogger(logging.getLogger(name))


_log = quiet_logger("evolution_sdk")


def harmless(
    step: Callable[..., object],
    *args: Any,
    failed: Callable[[BaseException], object] | None = None,
) -> None:
    """Take one step beside a call; what it raises is told, and goes no further.

    Args:
        step: What to do.
        *args: Its arguments.
        failed: Hears what it raised. Default: one line in the log, without the error's text.
    """
    try:
        step(*args)
    except BaseException as error:  # noqa: BLE001 - see above: whatever it is, the call is over
        contain(error, step, failed)


def contain(
    error: BaseException,
    step: Callable[..., object],
    failed: Callable[[BaseException], object] | None = None,
) -> None:
    """Tell what a step beside a call has raised, in an ``except`` clause; :func:`harmless` inline.

    Args:
        error: What it raised. ``KeyboardInterrupt`` goes on.
        step: The step.
        failed: Hears of the error. Default: one line in the log, without the error's text.
    """
    if isinstance(error, KeyboardInterrupt):
        raise error
    if failed is not None:
        harmless(failed, error)
        return
    name = getattr(step, "__qualname__", type(step).__name__)
    file, line, _ = raised_at(error)
    _log.error(
        "failed beside a call: step=%s error=%s at %s:%d",
        name,
        type(error).__name__,
        file,
        line,
    )

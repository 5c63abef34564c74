"""The webhook of an instance on loan: what it was, until it is put back."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import psutil

from evolution_sdk._base.private_file import write_private
from evolution_sdk.models.webhook import Webhook

__all__ = ["Former", "Loan", "LoanFile", "default_folder"]

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Former:
    """A webhook as it was before; its ``repr`` shows nothing of it.

    Attributes:
        url: Its URL; empty where there was none.
        enabled: Whether it was switched on.
        events: The events it was subscribed to.
        by_events: Whether the event's name is appended to its URL.
        headers: Its headers, the key of its tokens among them.
    """

    url: str
    enabled: bool
    events: tuple[str, ...]
    by_events: bool | None
    headers: Mapping[str, str]

    @classmethod
    def of(cls, webhook: Webhook | None) -> Former:
        """Take over what is stored; None stands for a webhook that was never set."""
        if webhook is None:
            return cls("", False, (), None, {})
        headers = {name: str(value) for name, value in (webhook.headers or {}).items()}
        return cls(webhook.url, webhook.enabled, webhook.events, webhook.by_events, headers)

    def __repr__(self) -> str:
        return f"Former(enabled={self.enabled})"


@dataclass(frozen=True, slots=True)
class Loan:
    """A webhook that has to be put back, and its borrower.

    Attributes:
        ours: The URL that was registered instead.
        former: The webhook as it was.
        process: Id of the process.
        started: When that process began, in unix seconds: ids of processes come again.
    """

    ours: str
    former: Former
    process: int
    started: float

    @classmethod
    def taken(cls, ours: str, former: Former) -> Loan:
        """Make the loan of this process."""
        process = os.getpid()
        return cls(ours, former, process, psutil.Process(process).create_time())

    @property
    def is_running(self) -> bool:
        """True while the process that borrowed it is alive on this machine."""
        try:
            begun = psutil.Process(self.process).create_time()
        except psutil.Error:
            return False
        return self.process != os.getpid() and abs(begun - self.started) < 1.0


class LoanFile:
    """Keeps the loan of one instance over the end of the process, readable by its owner alone.

    Args:
        folder: Where such files are.
        server: URL of the server.
        instance: The instance.
    """

    def __init__(self, folder: Path, server: str, instance: str) -> None:
        name = hashlib.sha256(f"{server}\n{instance}".encode()).hexdigest()[:16]
        self.path: Path = folder / f"listen-{name}.json"

    def read(self) -> Loan | None:
        """Return the loan that was left; None where there is none, or the file is not ours."""
        try:
            told: Any = json.loads(self.path.read_text("utf-8"))
            former: dict[str, Any] = told["former"]
            return Loan(
                str(told["ours"]),
                Former(
                    str(former["url"]),
                    bool(former["enabled"]),
                    tuple(map(str, former["events"])),
                    cast("bool | None", former["by_events"]),
                    dict(former["headers"]),
                ),
                int(told["process"]),
                float(told["started"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, loan: Loan) -> None:
        """Keep a loan.

        Raises:
            OSError: The file cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # It holds the key of the former webhook's tokens: nobody else may ever see it.
        write_private(self.path, json.dumps({"version": _VERSION, **asdict(loan)}).encode())

    def forget(self) -> None:
        """Delete the file: nothing has to be put back any more."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def default_folder() -> Path:
    """Return where loans are kept: the user's folder for state (``XDG_STATE_HOME``)."""
    given = os.environ.get("XDG_STATE_HOME")
    return (Path(given) if given else Path.home() / ".local" / "state") / "evolution-sdk"

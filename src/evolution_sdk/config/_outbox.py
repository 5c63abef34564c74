"""Settings of the outbox."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ._base import Milliseconds, Positive, Section, Variable

__all__ = ["OutboxConfig"]

_WHOLE = "a whole number of 1 or more"


def _outbox(name: str, rule: str, example: str, *, secret: bool = False) -> Variable:
    return Variable(f"EVOLUTION_OUTBOX_{name}", rule, example, secret=secret)


class OutboxConfig(Section):
    """The outbox: messages that are handed over are written down first, and sent once.

    Attributes:
        store: Where it is kept: path of a SQLite file, or a URL of PostgreSQL.
        key: Key that encrypts contents at rest, of Fernet; several separated by commas: the first
            encrypts, all decrypt. None leaves them readable.
        workers: Messages that one process sends at once.
        on_unknown: What becomes of a message of which neither is proven, that it was sent or that
            it was not: ``hold``: it waits for a person; ``resend``: it is sent again.
        max_file_bytes: Largest file that is kept beside a message, in bytes.
        max_failures: So often may the server itself refuse a message for a passing reason before
            it counts as failed.
        poll_ms: Longest wait before the store is asked for work of other processes, in
            milliseconds.
        lease_ms: How long a worker over PostgreSQL is believed to be alive without a word, in
            milliseconds: after that others look for what it may have sent.
    """

    store: Annotated[
        SecretStr,
        _outbox("STORE", "a path, or a postgresql:// URL", "/var/lib/bot/outbox.db", secret=True),
    ] = SecretStr("outbox.db")
    key: Annotated[
        SecretStr | None, _outbox("KEY", "a key of Fernet", "<32 bytes in base64>", secret=True)
    ] = None
    workers: Annotated[Positive, _outbox("WORKERS", _WHOLE, "4")] = 4
    on_unknown: Annotated[
        Literal["hold", "resend"], _outbox("ON_UNKNOWN", "hold or resend", "hold")
    ] = "hold"
    max_file_bytes: Annotated[Positive, _outbox("MAX_FILE_BYTES", _WHOLE, "16777216")] = 16_777_216
    max_failures: Annotated[Positive, _outbox("MAX_FAILURES", _WHOLE, "10")] = 10
    poll_ms: Annotated[
        Milliseconds, Field(ge=10), _outbox("POLL_MS", "milliseconds, 10 or more", "1000")
    ] = 1_000
    lease_ms: Annotated[
        Milliseconds, Field(ge=1_000), _outbox("LEASE_MS", "milliseconds, 1000 or more", "30000")
    ] = 30_000

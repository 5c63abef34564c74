"""Writing from several processes and machines into one archive of PostgreSQL.

A file of SQLite has one writer at a time, and the archive relies on it: whether a message is new,
or a copy of one that is there, is read before it is written, and no unique key could tell, for ids
occur in several chats. In PostgreSQL a transaction holds the instances that it writes, so that one
instance is written by one transaction at a time, and several instances at once.

Pairs of hidden id and phone count for all instances, and a new one may assign changes of any of
them. So a transaction that brings one holds the whole archive, as pruning does; one whose pairs are
known already does not. The locks end with the transaction, also when its process is killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evolution_sdk._sql.database import Session

from ._taking import LidRow, Row

__all__ = ["PairIsNewsError", "hold", "hold_all"]

# Of one archive: a database may have several, in schemas of their own.
_ALL = "(1635017060, hashtext(current_schema()))"
_SHARED = f"SELECT pg_advisory_xact_lock_shared{_ALL}"
_WHOLE = f"SELECT pg_advisory_xact_lock{_ALL}"
# In one order everywhere, so that no two transactions wait for each other.
_INSTANCES = (
    "SELECT pg_advisory_xact_lock(number) FROM (SELECT DISTINCT hashtextextended("
    "'evolution_sdk.archive/' || current_schema() || '/' || name, 0) AS number "
    "FROM unnest(?::text[]) AS name ORDER BY 1) AS numbers"
)
_PAIRS = "SELECT lid, phone FROM lids WHERE lid = ANY (?::text[])"


class PairIsNewsError(Exception):
    """A pair that was known when the transaction began is no more: it has to hold all."""


def hold(session: Session, rows: Sequence[Row], *, alone: bool = False) -> None:
    """Hold what some rows are about until the transaction ends.

    Args:
        session: A transaction that has done nothing yet.
        rows: What it is to write.
        alone: True to hold everything in any case.

    Raises:
        PairIsNewsError: Everything has to be held: begin again with ``alone``.
        DatabaseError: Somebody else held it for too long.
    """
    if session.dialect.name != "postgres":
        return  # BEGIN IMMEDIATE has the file
    pairs = [row for row in rows if isinstance(row, LidRow)]
    if alone or (pairs and _is_news(session, pairs)):
        hold_all(session)
        return
    session.run(_SHARED)
    session.run(_INSTANCES, (sorted({row.instance for row in rows}),))
    if pairs and _is_news(session, pairs):  # as somebody else has just learned another phone
        raise PairIsNewsError


def hold_all(session: Session) -> None:
    """Hold the whole archive until the transaction ends.

    Args:
        session: A transaction that has done nothing yet.

    Raises:
        DatabaseError: Somebody else held it for too long.
    """
    if session.dialect.name == "postgres":
        session.run(_WHOLE)


def _is_news(session: Session, pairs: Iterable[LidRow]) -> bool:
    told = {(row.lid, row.phone) for row in pairs}
    known = session.run(_PAIRS, (sorted({lid for lid, _ in told}),))
    return not told <= {(lid, phone) for lid, phone in known}

"""The columns that every row of the server's database has."""

from __future__ import annotations

from .base import IsoTime, Model


class StoredRow(Model):
    """A database row: its id, its times, and the id (not the name) of its instance."""

    id: str | None = None
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    instance_id: str | None = None

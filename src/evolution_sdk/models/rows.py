"""Fields of every row in the server's database."""

from __future__ import annotations

from .base import IsoTime, Model


class StoredRow(Model):
    """A row: its id, its times, and the id (not the name) of its instance."""

    id: str | None = None
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    instance_id: str | None = None

"""A local backup of messages, their updates and contacts, in one SQLite file without a server."""

from ._asking import MessageFilters
from .archive import Archive
from .records import ArchivedContact, ArchivedMessage, ArchivedUpdate, MediaReference

__all__ = [
    "Archive",
    "ArchivedContact",
    "ArchivedMessage",
    "ArchivedUpdate",
    "MediaReference",
    "MessageFilters",
]

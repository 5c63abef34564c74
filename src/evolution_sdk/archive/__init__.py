"""Local backup of messages, their updates and contacts in one SQLite file."""

from evolution_sdk._base.public import publish

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

publish(__name__, __all__)

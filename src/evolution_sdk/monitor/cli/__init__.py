"""``python -m evolution_sdk monitor``: the health of a server in a terminal, or as JSON."""

from .command import main
from .snapshot import EXIT_CODES, Snapshot
from .view import render

__all__ = ["EXIT_CODES", "Snapshot", "main", "render"]

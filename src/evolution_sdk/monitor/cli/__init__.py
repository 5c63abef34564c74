"""Command ``python -m evolution_sdk monitor``: health in a terminal, or as JSON."""

from .command import main, parser
from .snapshot import EXIT_CODES, Snapshot
from .view import render

__all__ = ["EXIT_CODES", "Snapshot", "main", "parser", "render"]

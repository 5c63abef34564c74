"""``evolution listen``: a receiver on this machine, registered for as long as it runs."""

from .command import main, parser

__all__ = ["main", "parser"]

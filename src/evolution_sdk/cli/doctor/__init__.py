"""``evolution doctor``: checks a server and what belongs to it, and says what to do."""

from .command import main, parser

__all__ = ["main", "parser"]

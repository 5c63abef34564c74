"""Command ``outbox``: send, list, explain and settle what was handed over."""

from .command import main
from .parser import parser

__all__ = ["main", "parser"]

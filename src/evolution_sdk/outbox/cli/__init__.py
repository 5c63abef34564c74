"""Command ``outbox``: send, list, explain and settle what was handed over."""

from .command import main

__all__ = ["main"]

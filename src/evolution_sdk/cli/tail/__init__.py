"""``evolution tail``: events as they come, by the server's socket or by RabbitMQ."""

from .command import main, parser

__all__ = ["main", "parser"]

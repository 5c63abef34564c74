"""Outbox: a message handed over is written down first, and sent once."""

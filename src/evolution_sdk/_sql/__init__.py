"""Storing rows in SQLite or PostgreSQL: one dialect, one way to open, change and migrate tables."""

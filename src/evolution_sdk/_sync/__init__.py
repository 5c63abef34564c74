# Generated from src/evolution_sdk/_async/__init__.py by tools/generate_sync.py. Edit that file instead.
"""Written by hand; the only place with `await`."""

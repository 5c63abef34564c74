"""Generated from _async by tools/generate_sync.py; never edited."""

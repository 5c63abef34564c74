# Generated from src/evolution_sdk/_async/resources/__init__.py by tools/generate_sync.py. Edit that file instead.
"""One file per family of routes; each method is a few lines."""

"""Live console: one page about the health of everything, served by an ASGI app."""

from .app import EvolutionConsole

__all__ = ["EvolutionConsole"]

"""Typed Python SDK for the Evolution API, the open-source WhatsApp REST server."""

from ._version import __version__

__all__ = ["__version__"]

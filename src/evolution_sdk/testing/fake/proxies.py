"""Outgoing proxies, and the server's test of them."""

from __future__ import annotations


class Proxies:
    """The proxies that lead out under another address; none until a test accepts one."""

    def __init__(self) -> None:
        self._accepted: set[tuple[str | None, str | None]] = set()

    def accept(self, host: str | None, port: str | None) -> None:
        """Let a proxy work; None matches every host or port."""
        self._accepted.add((host, port))

    def works(self, host: object, port: object) -> bool:
        """Test a proxy: the server fetches its own address directly and through the proxy."""
        return any(h in (None, host) and p in (None, port) for h, p in self._accepted)

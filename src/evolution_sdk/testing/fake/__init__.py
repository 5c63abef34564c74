"""The fake server: a pure kernel, and the thin transports that make it reachable."""

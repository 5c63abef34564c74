"""The fake server inside: a pure kernel, and the thin shells that make it reachable."""

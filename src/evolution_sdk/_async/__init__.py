"""Written by hand; the only place with `await`."""

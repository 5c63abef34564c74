"""Following messages after they are sent: the event bus, and what waits on it."""

"""Everything that decides: no await, no socket, no clock of its own."""

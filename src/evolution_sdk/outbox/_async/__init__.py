"""The half of the outbox that has a colour."""

"""Public test kit: FakeEvolution, faults, pytest plugin."""

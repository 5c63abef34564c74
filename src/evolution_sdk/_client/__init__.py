"""The half of the client that has no colour: options, settings, observers, references."""

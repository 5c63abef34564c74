"""What each kind of instance does with a call."""

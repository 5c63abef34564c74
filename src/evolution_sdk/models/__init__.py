"""What travels: one file per family; base.py sets the rules."""

"""Acts of phones beside writing: votes, choices, reactions, edits, deletions, history, calls."""

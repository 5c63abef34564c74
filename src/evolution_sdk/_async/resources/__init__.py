"""One file per family of routes; each method is a few lines."""

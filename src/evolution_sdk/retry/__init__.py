"""EvolutionRetryService, usable alone."""

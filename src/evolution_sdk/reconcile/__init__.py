"""Finding out whether a send of unknown outcome happened. Pure: records in, verdicts out."""

"""Schemas of request bodies, as data, with the keywords that the server checks."""

"""Ground words and structures: they raise no error of the SDK and import nothing of it."""

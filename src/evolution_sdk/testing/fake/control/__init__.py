"""Control of a served fake over HTTP: the routes under ``/_fake/``, and their client."""

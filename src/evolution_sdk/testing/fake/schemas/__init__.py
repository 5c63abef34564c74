"""What each route demands of its body, as data; only keywords that the server checks."""

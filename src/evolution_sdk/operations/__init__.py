"""The protocol: what an operation is, every route, and how requests and answers are read."""

"""Delivery of events: webhooks with their retries, and socket.io."""

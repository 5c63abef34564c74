"""A proxy that injects the fake's faults in front of any server."""

"""Parts that every room shares and that raise the SDK's own errors: checks and the emitter."""

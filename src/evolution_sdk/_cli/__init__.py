"""Frame of all commands: common options, settings, output as text or JSON, exit codes."""

"""Commands of ``evolution`` that stand above all other rooms, one module each.

Each module has ``main(arguments) -> exit code``, and is imported when its command is run.
"""

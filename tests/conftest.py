"""Shared by all tests: a developer's own settings stay out, and no example is timed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from effort import examples

# A deadline, and the check that inputs are made fast enough, measure the machine: with two workers
# on two cores they fail at random. Where Hypothesis sees a CI it would also try the same examples
# in every run; new ones find more, and the printed blob replays a failure whose database is gone.
_UNTIMED = settings(
    max_examples=examples(100),
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", _UNTIMED)
settings.register_profile("ci", _UNTIMED, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# A shell that starts a run in the background has it ignore Ctrl-C, and every process that a test
# starts inherits that: Python would then never raise KeyboardInterrupt there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def no_settings_of_the_developer() -> Iterator[None]:
    """Services made without arguments, and commands, read nothing of the developer's shell."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            if os.environ.get(name, "").startswith("pt"):
                patch.delenv(name)
        for name in [name for name in os.environ if name.startswith("EVOLUTION_RETRY_")]:
            patch.delenv(name)
        yield

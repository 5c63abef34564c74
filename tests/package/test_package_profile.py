"""The Hypothesis profile of tests/conftest.py is in force."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def test_no_example_is_timed_and_every_run_tries_new_ones() -> None:
    now = settings()
    assert now.deadline is None
    assert HealthCheck.too_slow in now.suppress_health_check
    assert not now.derandomize
    assert now.print_blob or not os.environ.get("CI")

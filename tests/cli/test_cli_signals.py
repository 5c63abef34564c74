"""Work beside signals: a handler runs although nothing wakes the main thread."""

from __future__ import annotations

import subprocess
import sys

import pytest

from evolution_sdk._cli.signals import beside_signals

PATIENCE_S = 60

# The signal is given to another thread, as the system may do: the main one is not woken.
PROGRAM = """
import signal, threading
from evolution_sdk._cli.signals import beside_signals

heard = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: heard.set())

def work():
    for _ in range(10):  # the first may come before the main thread sleeps
        heard.clear()
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        if not heard.wait(60):
            return "not heard"
    return "heard"

print(beside_signals(work))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no pthread_kill")
def test_a_signal_that_wakes_nobody_is_heard() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=2 * PATIENCE_S
    )
    assert (done.stdout, done.stderr) == ("heard\n", "")


def test_what_the_work_returns_is_returned() -> None:
    assert beside_signals(lambda: 7) == 7


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        beside_signals(work)

"""What every shell around the kernel is made of."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Clock
from .kernel import Kernel


@dataclass(frozen=True, slots=True)
class Shell:
    """The kernel and how to wait for it.

    Attributes:
        kernel: What answers.
        clock: What moves while an answer is held back.
        real_delays: Really wait instead of moving the clock.
    """

    kernel: Kernel
    clock: Clock
    real_delays: bool = False

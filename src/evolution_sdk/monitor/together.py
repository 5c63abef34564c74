"""Several questions at once, in a few threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

__all__ = ["ask_all_sync"]

Q = TypeVar("Q")
A = TypeVar("A")


def ask_all_sync(questions: Sequence[Q], ask: Callable[[Q], A]) -> tuple[A, ...]:
    """Ask several questions at once, each in a thread of its own but for one, which is asked here.

    Args:
        questions: The questions; as many are asked at once.
        ask: Asks one, blocking; raises nothing that is an ``Exception``.

    Returns:
        The answers in the order of the questions.
    """
    answers: dict[int, A] = {}
    left = list(enumerate(questions))

    def work() -> None:
        while True:
            try:
                number, question = left.pop()  # atomic: each is asked once
            except IndexError:
                return
            answers[number] = ask(question)

    threads: list[Thread] = []
    for _ in questions[1:]:
        # A context may be entered by one thread at a time.
        context = copy_context()
        thread = Thread(target=context.run, args=(work,), name="evolution-monitor-ask", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # No more threads to be had: those there are ask the rest.
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join()
    return tuple(answers[number] for number in range(len(questions)))

"""Commands of ``evolution`` run in this process, against a served fake."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from evolution_sdk.__main__ import main

KEY = "cli-secret-key"
NUMBER = "5511999990001"


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        (line,) = self.out.splitlines()
        return json.loads(line)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Evolution:
    """The program."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Answer:
        return self.run(lambda: main(arguments))

    def run(self, work: Any) -> Answer:
        """Run something that returns an exit code."""
        self._capsys.readouterr()
        try:
            code = work()
        except SystemExit as ended:  # of argparse
            code = int(ended.code or 0)
        return Answer(code, *self._capsys.readouterr())


class Rhythm:
    """A clock that sleeping moves, and acts that happen after some naps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.naps = 0
        self._acts: dict[int, Any] = {}

    def at(self, nap: int, act: Any) -> None:
        """Do something at the end of the nap with this number, from 1 on."""
        self._acts[nap] = act

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps += 1
        self.now += seconds
        if act := self._acts.get(self.naps):
            act()

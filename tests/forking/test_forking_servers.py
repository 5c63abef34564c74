"""Programs that fork: pools of multiprocessing, gunicorn, Celery; with a client made before."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from effort import deep
from evolution_sdk.testing import FakeEvolution
from services import require_service
from waiting import until

from .test_forking_clients import KEY, fake_server
from .test_forking_receiver import posted

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
PATIENCE_S = 60.0


def environment(fake: FakeEvolution, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "EVOLUTION_API_URL": fake.url,
        "EVOLUTION_API_KEY": KEY,
        "EVOLUTION_INSTANCE": "sales",
        **more,
    }


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with fake_server() as served:
        for me in range(5):
            served.create_instance(f"inst{me}")
        yield served


POOL = """
import asyncio, multiprocessing, os, sys
from evolution_sdk import AsyncEvolutionClient, EvolutionClient
colour, method, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = (EvolutionClient if colour == "sync" else AsyncEvolutionClient)()

async def mixed(number):
    text, name = f"{os.getpid()}-{number}", f"inst{number % 5}"
    sent = client.messages.send_text("5511987654321", text)
    found = client.instances.fetch(name)
    if colour == "async":
        sent, found = await asyncio.gather(sent, found)
    return (sent.text != text) + ([one.name for one in found] != [name])

def work(number):
    return asyncio.run(mixed(number))

if __name__ == "__main__":
    foreign = work(0)
    with multiprocessing.get_context(method).Pool(4) as pool:
        foreign += sum(pool.map(work, range(calls), chunksize=1))
    print(foreign + work(0))
"""


@pytest.mark.parametrize(
    ("colour", "method"), [("sync", "fork"), ("async", "fork"), deep("sync", "forkserver")]
)
def test_a_pool_of_processes_gets_its_own_answers(
    colour: str, method: str, fake: FakeEvolution, tmp_path: Path
) -> None:
    program = tmp_path / "pool.py"
    program.write_text(textwrap.dedent(POOL))
    calls = 24
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program), colour, method, str(calls)],
        env=environment(fake), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "0", done.stderr
    texts = [sent.text for sent in fake.sent]
    assert len(texts) == calls + 2
    assert [text for text, count in Counter(texts).items() if count > 1] in ([], texts[:1])


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def answering(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code > 0
    except httpx.TransportError:
        return False


def command(number: int) -> bytes:
    """A message that the examples answer."""
    body = json.loads(posted(number))
    body["data"]["message"]["conversation"] = "/ping"
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("example", "preload", "inbox"),
    [
        ("webhook_flask", True, "memory"),
        deep("webhook_django", True, "memory"),
        ("webhook_django", True, "file"),
        deep("webhook_flask", False, "memory"),
    ],
)
def test_workers_of_gunicorn_handle_what_they_accept(
    example: str, preload: bool, inbox: str, fake: FakeEvolution, tmp_path: Path
) -> None:
    more = {"INBOX_PATH": str(tmp_path / "inbox.db")} if inbox == "file" else {}
    port, events = free_port(), 100
    line = ["-m", "gunicorn", "-w", "4", "-b", f"127.0.0.1:{port}", "--chdir", str(EXAMPLES)]
    line += ["--worker-tmp-dir", str(tmp_path), *(["--preload"] if preload else [])]
    url = f"http://127.0.0.1:{port}/evolution"
    # A connection for each, so that every worker gets some.
    headers = {"content-type": "application/json", "connection": "close"}
    with running([*line, f"{example}:app"], environment(fake, **more)):
        until(lambda: answering(url), "gunicorn did not start", PATIENCE_S)

        with httpx.Client(headers=headers, timeout=30) as http, ThreadPoolExecutor(8) as pool:
            told = pool.map(lambda n: http.post(url, content=command(n)).status_code, range(events))
            assert Counter(told) == {200: events}
        told = f"only {len(fake.sent)} of {events} were handled"
        until(lambda: len(fake.sent) >= events, told, PATIENCE_S)
    assert len({sent.number for sent in fake.sent}) == len(fake.sent) == events


def test_workers_of_celery_get_their_own_answers(fake: FakeEvolution) -> None:
    require_service("Redis", 6379)
    from redis import Redis

    queue, broker = f"evolution-sdk-test-{uuid.uuid4().hex}", "redis://127.0.0.1:6379/0"
    more = {"FORK_TEST_QUEUE": queue, "FORK_TEST_BROKER": broker}
    env = environment(fake, **more, PYTHONPATH=f"{os.environ.get('PYTHONPATH', '')}:{HERE}")
    line = ["-m", "celery", "-A", "celery_app", "worker", "-P", "prefork", "-c", "4"]
    asking = (
        "import celery_app\n"
        "jobs = [(str(n), celery_app.send.delay(str(n))) for n in range(40)]\n"
        "print('asked', flush=True)\n"
        "told = [(text, job.get(timeout=60)) for text, job in jobs]\n"
        "print(sum(text != answer[1] for text, answer in told), len({a[0] for _, a in told}))\n"
    )
    try:
        # The tasks are there first, so that the workers begin right after they are forked.
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", asking],
            env=env, stdout=subprocess.PIPE, text=True,
        ) as asker:  # fmt: skip
            assert asker.stdout is not None
            assert asker.stdout.readline() == "asked\n"
            with running([*line, "--without-gossip", "--without-mingle", "-l", "error"], env):
                told, _ = asker.communicate(timeout=2 * PATIENCE_S)
        foreign, processes = map(int, told.split())
    finally:
        with Redis.from_url(broker) as redis:
            for key in redis.scan_iter(f"*{queue}*"):
                redis.delete(key)
    assert foreign == 0
    assert processes > 1
    assert sorted(sent.text or "" for sent in fake.sent) == sorted(map(str, range(40)))

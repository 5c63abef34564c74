"""A server of 2.4 that has not been activated: told at once, nothing sent, nothing held against it.

`facts/versions/2.4.0-rc2/unlicensed.json` was recorded from an unmodified 2.4.0-rc2.
"""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from evolution_sdk import (
    OPERATIONS,
    EvolutionClient,
    EvolutionMonitorService,
    LicenseRequiredError,
    errors,
)
from evolution_sdk.errors import Phase
from evolution_sdk.testing import FakeEvolution
from facts import read

RECORDED = read("versions/2.4.0-rc2/unlicensed.json")
GATED = [entry for entry in RECORDED if entry["response"]["status"] == 503]


def client_of(fake: FakeEvolution) -> EvolutionClient:
    return EvolutionClient(fake.url, "test-api-key", http_client=fake.http_client(), instance="x")


@pytest.mark.parametrize("entry", GATED, ids=lambda entry: entry["name"])
def test_each_recorded_refusal_says_where_to_activate(entry: dict[str, Any]) -> None:
    body = json.dumps(entry["response"]["json"]).encode()
    for name in ("message.send_text", "instance.fetch_instances", "group.create_group"):
        with pytest.raises(LicenseRequiredError) as caught:
            OPERATIONS[name].parse(503, body)
        error = caught.value
        assert error.register_url == "http://127.0.0.1:8241/manager/login"
        assert error.instance_id == entry["response"]["json"]["instance_id"]
        assert error.docs_url == entry["response"]["json"]["docs_url"]
        assert error.phase is Phase.NOT_SENT
        assert not error.retryable
        assert "http://127.0.0.1:8241/manager/login" in str(error)
        assert pickle.loads(pickle.dumps(error)).register_url == error.register_url


@pytest.mark.parametrize("body", [b"{}", b'{"code": "OTHER"}', b'{"error": "not activated"}'])
def test_another_503_is_no_licence(body: bytes) -> None:
    with pytest.raises(errors.ServerError) as caught:
        OPERATIONS["message.send_text"].parse(503, body)
    assert caught.value.phase is Phase.UNKNOWN


def test_one_request_no_doubt_no_breaker() -> None:
    fake = FakeEvolution(version="2.4.0", licensed=False)
    with client_of(fake) as client:
        for _ in range(40):
            with pytest.raises(LicenseRequiredError) as caught:
                client.messages.send_text("5511987654321", "x")
        assert caught.value.attempts == 1
        assert len(fake.requests) == 40
        assert {each.state.value for each in client.breakers().values()} <= {"closed"}
        assert client.server.info().version == "2.4.0"


def test_the_fake_answers_as_the_real_gate_does() -> None:
    fake = FakeEvolution(version="2.4.0", licensed=False)
    with fake.http_client() as http:
        for entry in RECORDED:
            asked = entry["request"]
            if asked["path"].startswith("/license"):
                continue
            content = asked.get("raw") or (json.dumps(asked["json"]) if "json" in asked else None)
            answer = http.request(
                asked["method"],
                f"{fake.url}{asked['path']}",
                content=content,
                headers={"content-type": "application/json"} if content else {},
            )
            wanted = entry["response"]
            assert answer.status_code == wanted["status"], entry["name"]
            if wanted["status"] == 503:
                page = f"{fake.url}/manager/login"
                shown = json.dumps(wanted["json"]).replace(
                    "http://127.0.0.1:8241/manager/login", page
                )
                assert answer.json() == json.loads(shown)


@pytest.mark.parametrize("instances", [(), ("x",), ("*",)])
def test_the_monitor_says_that_it_is_not_activated(instances: tuple[str, ...]) -> None:
    fake = FakeEvolution(version="2.4.0", licensed=False)
    with client_of(fake) as client:
        monitor = EvolutionMonitorService(client, instances=instances)
        monitor.check_health_sync()
        report = monitor.get_health_status()
        assert report.status == "unhealthy"
        page = f"{fake.url}/manager/login"
        words = "the server has no active licence and refuses every call: activate it at "
        assert report.reasons == (words + page,)
        assert report.details["failure"] == "LicenseRequiredError"
        assert report.details["active_connections"] is None


def test_an_activated_server_is_well_again() -> None:
    fake = FakeEvolution(version="2.4.0")
    with client_of(fake) as client:
        monitor = EvolutionMonitorService(client, instances=())
        monitor.check_health_sync()
        assert monitor.get_health_status().status == "healthy"


def test_a_monitor_without_instances_asks_for_the_list_whatever_the_version() -> None:
    fake = FakeEvolution(version="2.3.7")
    with client_of(fake) as client:
        monitor = EvolutionMonitorService(client, instances=())
        monitor.check_health_sync()
        asked = [seen.operation for seen in fake.requests]
        # GET / is asked beside it, for the version.
        assert [each for each in asked if each != "root.get_information"] == [
            "instance.fetch_instances"
        ]

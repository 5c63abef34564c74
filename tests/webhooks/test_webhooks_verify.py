"""Who may post: the token, the header, the key in the body, the server's name; and all of them."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.webhooks import WebhookReceiver, sign_token

from .conftest import NOW, Kit, posted

KEY = "a key of the webhook"
NEW_KEY = "a new key of the webhook"
CLAIMS = {"iat": int(NOW), "exp": int(NOW) + 600, "app": "evolution", "action": "webhook"}


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(
    claims: Any = CLAIMS, *, key: str = KEY, algorithm: str = "HS256", digest: str = "sha256"
) -> str:
    head = packed(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    signed = f"{head}.{packed(json.dumps(claims).encode())}"
    return f"{signed}.{packed(hmac.new(key.encode(), signed.encode(), digest).digest())}"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {token()}", 200),
        (f"bearer  {token()}", 200),
        (f"Bearer {sign_token(KEY, NOW)}", 200),
        (f"Bearer {token(key='other')}", 412),
        (f"Bearer {token(algorithm='none')}", 412),
        (f"Bearer {token(algorithm='none').rpartition('.')[0]}.", 412),
        (f"Bearer {token(algorithm='HS512', digest='sha512')}", 412),
        (f"Bearer {token(algorithm='HS512')}", 412),
        (f"Bearer {token({**CLAIMS, 'app': 'x'})}", 412),
        (f"Bearer {token({**CLAIMS, 'action': 'x'})}", 412),
        (f"Bearer {token({'app': 'evolution', 'action': 'webhook'})}", 412),
        (f"Bearer {token({**CLAIMS, 'exp': True})}", 412),
        (f"Bearer {token({**CLAIMS, 'exp': 10**400})}", 200),
        (f"Bearer {token({**CLAIMS, 'exp': -(10**400)})}", 412),
        (f"Bearer {token([])}", 412),
        (f"Bearer {token()[:-2]}", 412),
        (f"Bearer {token()}x", 412),
        (f"Bearer {token().replace('.', '.e', 1)}", 412),
        (f"Basic {token()}", 412),
        ("Bearer " + "a" * 9_000, 412),
        ("Bearer a.b.é", 412),
        ("", 412),
    ],
)
def test_the_token(kit: Kit, authorization: str, status: int) -> None:
    receiver = kit.receiver(jwt_key=KEY)
    assert kit.post(receiver, authorization=authorization) == status
    assert receiver.metrics().accepted == (status == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"jwt_key": KEY}, 200),
        ({"jwt-key": KEY}, 200),  # as WSGI hands it on
        ({"jwt_key": NEW_KEY}, 200),
        ({"jwt_key": f"{KEY}x"}, 412),
        ({"jwt_key": KEY[:-1]}, 412),
        ({"jwt_key": ""}, 412),
        ({"jwt_key": KEY, "authorization": "Basic abc"}, 200),
        ({"authorization": KEY}, 412),
        ({"authorization": f"Bearer {KEY}"}, 412),
    ],
)
def test_2_2_3_sends_the_key_itself(kit: Kit, headers: dict[str, str], status: int) -> None:
    """`facts/versions/2.2.3/webhooks.json`: a header ``jwt_key``, and no token."""
    receiver = kit.receiver(jwt_key=[KEY, NEW_KEY])
    assert kit.post(receiver, **headers) == status


def test_the_key_itself_proves_nothing_where_none_is_set(kit: Kit) -> None:
    receiver = kit.receiver(secret_headers={"x-mine": "1"})
    assert kit.post(receiver, jwt_key=KEY) == 412


def test_a_late_attempt_carries_an_old_token(kit: Kit) -> None:
    receiver = kit.receiver(jwt_key=KEY)
    head = {"authorization": f"Bearer {token()}"}
    kit.clock.now = NOW + 600 + 3_600
    assert kit.post(receiver, posted(1), **head) == 200
    kit.clock.now += 1
    assert kit.post(receiver, posted(2), **head) == 412
    strict = kit.receiver(jwt_key=KEY, jwt_leeway_ms=0)
    assert kit.post(strict, posted(3), **head) == 412
    kit.clock.now = NOW + 600
    assert kit.post(strict, posted(3), **head) == 200


def test_keys_can_be_changed_without_a_gap(kit: Kit) -> None:
    receiver = kit.receiver(jwt_key=[NEW_KEY, KEY])
    assert kit.post(receiver, authorization=f"Bearer {token()}") == 200
    assert kit.post(receiver, posted(2), authorization=f"Bearer {token(key=NEW_KEY)}") == 200


@pytest.mark.parametrize(
    ("options", "headers", "envelope", "status"),
    [
        ({"secret_headers": {"X-Secret": "s"}}, {"x_secret": "s"}, {}, 200),
        ({"secret_headers": {"X-Secret": ["t", "s"]}}, {"x_secret": "s"}, {}, 200),
        ({"secret_headers": {"X-Secret": ["s", "t"]}}, {"x_secret": "s"}, {}, 200),
        ({"secret_headers": {"X-Secret": "s"}}, {"x_secret": "S"}, {}, 412),
        ({"secret_headers": {"X-Secret": "s"}}, {}, {}, 412),
        ({"apikeys": ["a", "b"]}, {}, {"apikey": "b"}, 200),
        ({"apikeys": ["a", "b"]}, {}, {"apikey": "a"}, 200),
        ({"apikeys": "a"}, {}, {"apikey": "b"}, 412),
        ({"apikeys": "a"}, {}, {"apikey": None}, 412),
        ({"apikeys": "a"}, {}, {}, 412),
        ({"server_url": "https://e.example/"}, {}, {"server_url": "https://e.example"}, 200),
        ({"server_url": "https://e.example"}, {}, {"server_url": "https://x.example"}, 412),
        ({"server_url": "https://e.example"}, {}, {}, 412),
        ({"apikeys": "a", "secret_headers": {"h": "s"}}, {"h": "s"}, {"apikey": "a"}, 200),
        ({"apikeys": "a", "secret_headers": {"h": "s"}}, {"h": "s"}, {}, 412),
        ({"apikeys": "a", "secret_headers": {"h": "s"}}, {}, {"apikey": "a"}, 412),
    ],
)
def test_the_other_proofs(kit: Kit, options: Any, headers: Any, envelope: Any, status: int) -> None:
    assert kit.post(kit.receiver(**options), posted(**envelope), **headers) == status


@pytest.mark.parametrize(
    "options",
    [{"jwt_key": ""}, {"jwt_key": []}, {"apikeys": ["a", ""]}, {"secret_headers": {"x": ""}},
     {"concurrency": 0}, {"max_queue": 0}, {"max_body_bytes": 0}, {"max_queue_bytes": 0}],
)  # fmt: skip
def test_an_empty_secret_is_no_secret(kit: Kit, options: Any) -> None:
    with pytest.raises(ConfigurationError):
        WebhookReceiver(kit.router, **options)


@pytest.mark.parametrize(
    ("key", "rule"),
    [("k" * 15, "at least 16 bytes"), ([KEY, "short"], "at least 16 bytes"),
     (KEY.encode(), "must be text"), (7, "must be text"), ([None], "must be text")],
)  # fmt: skip
def test_a_key_that_can_be_guessed_is_no_key(kit: Kit, key: Any, rule: str) -> None:
    """One delivery is enough to try keys offline, at millions a second."""
    with pytest.raises(ConfigurationError, match=rule) as caught:
        WebhookReceiver(kit.router, jwt_key=key)
    assert str(caught.value.variable).partition("[")[0] == "jwt_key"
    assert ("token_urlsafe(32)" in str(caught.value)) is (rule == "at least 16 bytes")
    assert "short" not in str(caught.value)

"""The base64 route puts every failure into a 400, as text: what each says about whom.

The texts are those of `getBase64FromMediaMessage` in the server's source (2.2.3 to 2.4.0-rc2:
`src/api/integrations/channel/whatsapp/whatsapp.baileys.service.ts`, and for BUSINESS
`src/api/integrations/channel/meta/whatsapp.business.service.ts`), of `downloadMediaMessage`
and `updateMediaMessage` of Baileys, and of Node, below them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from evolution_sdk import OPERATIONS, errors
from evolution_sdk.errors import EvolutionAPIError

READ = "TypeError: Cannot read properties of "
ABOUT_THE_FILE = [
    # no content in the store: its look-up failed, it was deleted, or a wrapper is empty
    f"{READ}undefined (reading 'ephemeralMessage')",
    f"{READ}null (reading 'ephemeralMessage')",
    f"{READ}undefined (reading 'documentWithCaptionMessage')",
    f"{READ}undefined (reading 'key')",
    f"{READ}undefined (reading 'message')",
    f"{READ}undefined (reading 'imageMessage')",
    f"{READ}undefined (reading 'mimetype')",
    "TypeError: Cannot use 'in' operator to search for 'messageContextInfo' in x",
    "Message not found",
    "The message is not of the media type",
    "Template message does not contain a supported media type",
    "Error: Could not determine mediaType for fallback",
    "Error: No message present",
    'Error: "conversation" message is not a media message',
    # its key
    "TypeError: Cannot convert undefined or null to object",
    "Error: Cannot derive from empty media key",
    "Error: error:1C800064:Provider routines::bad decrypt",
    "Error: error:1C80006B:Provider routines::wrong final block length",
    "Error: Unsupported state or unable to authenticate data",
    # WhatsApp no longer has it, and the sender's phone did not send it again
    "Error: Failed to fetch stream from https://mmg.whatsapp.net/v/x",
    "AxiosError: Request failed with status code 404",
    "AxiosError: Request failed with status code 410",
    "Error: Media re-upload failed by device (NOT_FOUND)",
    "Error: Media re-upload failed by device (DECRYPTION_ERROR)",
    "Error: given message is not a media message",
    "Error: No valid media URL or directPath present in message",
    # the server's own network
    "TypeError: fetch failed",
    "Error: getaddrinfo ENOTFOUND mmg.whatsapp.net",
    "AxiosError: connect ETIMEDOUT 157.240.1.1:443",
    "Error: socket hang up",
    "AggregateError",
    # the conversion
    "[object Object]",
    # BUSINESS, which wants the whole message
    f"{READ}undefined (reading 'includes')",
]


def failure(*words: Any, status: int = 400) -> EvolutionAPIError:
    body = {"status": status, "error": "Bad Request", "response": {"message": list(words)}}
    with pytest.raises(EvolutionAPIError) as caught:
        OPERATIONS["chat.get_base64_from_media_message"].parse(status, json.dumps(body).encode())
    return caught.value


@pytest.mark.parametrize("words", ABOUT_THE_FILE)
def test_it_is_about_the_file_alone(words: str) -> None:
    error = failure(words)
    assert type(error) is errors.BadRequestError
    assert (error.retryable, error.transient, error.concerns) == (False, False, "call")


@pytest.mark.parametrize(
    "words",
    [f"{READ}undefined (reading 'updateMediaMessage')", "Error: Connection Closed"],
)
def test_a_session_that_is_gone_is_told_still(words: str) -> None:
    """2.2.3 has no fall-back: it says so where it needs the socket."""
    error = failure(words)
    assert type(error) is errors.InstanceNotConnectedError
    assert error.retryable


def test_a_phone_that_does_not_answer_says_nothing_about_the_instance() -> None:
    error = failure("Error: Timed Out")
    assert type(error) is errors.ServerError
    assert (error.retryable, error.concerns) == (True, "call")


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (f"{READ}null (reading 'ephemeralMessage')", "deleted"),
        ("Message not found", "DATABASE_SAVE_DATA_NEW_MESSAGE"),
        ("[object Object]", "convert_to_mp4"),
        ("Error: Failed to fetch stream from https://mmg.whatsapp.net/v/x", "no longer"),
        ("TypeError: fetch failed", "could not reach"),
        ("TypeError: Cannot convert undefined or null to object", "no key"),
    ],
)
def test_what_the_words_mean(words: str, advice: str) -> None:
    assert advice in failure(words).advice


def test_on_other_routes_the_same_words_mean_what_they_did() -> None:
    body = {"status": 400, "error": "x", "response": {"message": ["[object Object]"]}}
    with pytest.raises(EvolutionAPIError) as caught:
        OPERATIONS["message.send_text"].parse(400, json.dumps(body).encode())
    assert "connection_state" in caught.value.advice

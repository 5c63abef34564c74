"""Meta's side of WHATSAPP-BUSINESS, arranged by a test."""

from __future__ import annotations

from evolution_sdk._common.arguments import checked

from .arrange import find_instance
from .js import JsonObject, defined, or_undefined
from .state import MetaRefusal, ServerState

_TRACE_ID = "AfakeTRACE000000000001"


@checked()
class FakeMeta:
    """Meta's Graph API as the server sees it, at ``fake.meta``.

    Args:
        server: The state of the fake.
    """

    def __init__(self, server: ServerState) -> None:
        self._server = server

    def set_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to Meta, for Business sends and for templates everywhere.

        Args:
            reachable: False cuts it, True restores it.
        """
        self._server.meta.reachable = reachable

    def refuse(
        self,
        number: str,
        *,
        code: int = 131_026,
        message: str = "(#131026) Message undeliverable",
        kind: str = "OAuthException",
        details: str | None = None,
        error_subcode: int | None = None,
    ) -> None:
        """Let Meta refuse sends to a number (Business): HTTP 201 with Meta's error.

        Args:
            number: The recipient, in any spelling.
            code: Meta's error code.
            message: Its text.
            kind: Its type.
            details: Text of ``error_data.details``; None leaves ``error_data`` out.
            error_subcode: Meta's subcode; None leaves it out.
        """
        data = {"messaging_product": "whatsapp", "details": details}
        error = defined(
            message=message,
            type=kind,
            code=code,
            fbtrace_id=_TRACE_ID,
            error_data=or_undefined(data if details is not None else None),
            error_subcode=or_undefined(error_subcode),
        )
        self._refuse(number, MetaRefusal(error))

    def stay_silent(self, number: str) -> None:
        """Let Meta give no usable answer for a number.

        The server answers 400 with a TypeError, which does not tell whether Meta sent it.

        Args:
            number: The recipient, in any spelling.
        """
        self._refuse(number, MetaRefusal(None))

    def _refuse(self, number: str, refusal: MetaRefusal) -> None:
        # The server hands Meta the digits alone, however the number was written.
        self._server.refusals["".join(c for c in number if c.isdigit())] = refusal

    def refuse_template(
        self,
        name: str | None = None,
        *,
        message: str = "Invalid parameter",
        code: int = 100,
        kind: str = "OAuthException",
        error_subcode: int | None = 2_388_024,
        title: str | None = "Content in This Language Already Exists",
        text: str | None = "There is already en_US content for this template.",
    ) -> None:
        """Let Meta refuse templates: 400 in Meta's shape; listing answers an empty body.

        Args:
            name: Name of the template; None refuses every request, listing included.
            message: Meta's text for developers.
            code: Meta's error code.
            kind: Its type.
            error_subcode: Its subcode; None leaves it out.
            title: Text of ``error_user_title``, which the answer's ``message`` repeats.
            text: Text of ``error_user_msg``.
        """
        with self._server.lock:
            self._server.meta.refusals[name] = defined(
                message=message,
                type=kind,
                code=code,
                error_subcode=or_undefined(error_subcode),
                error_user_title=or_undefined(title),
                error_user_msg=or_undefined(text),
                fbtrace_id=_TRACE_ID,
            )

    def templates(self, instance: str) -> list[JsonObject]:
        """List the templates that Meta keeps for an instance's business account.

        Args:
            instance: Name of the instance.

        Raises:
            KeyError: The fake has no such instance.
        """
        with self._server.lock:
            business_id = find_instance(self._server, instance).business_id
            return list(self._server.meta.of(business_id))

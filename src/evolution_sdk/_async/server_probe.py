"""Asking a server for its version: once, shortly, and in no call's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk._base.forking import in_child
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._client.known_server import KnownServer
from evolution_sdk.errors import EvolutionAPIError, EvolutionError, RouteNotFoundError
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.server_version import ServerProfile
from evolution_sdk.operations.target import Target

from ._seam import Later, Slots

__all__ = ["ServerProbe"]

_log = quiet_logger("evolution_sdk")

_LIMIT_MS = 3_000.0
# An instance that no server has: the answer tells of the route all the same.
_NOBODY = "evolution-sdk-probe"


class ServerProbe:
    """Finds out the version of a server where it matters.

    Args:
        known: Keeps what was told.
        once: Makes one attempt of an operation for a target, within a time in milliseconds; no
            retry, no guard, no metric.
    """

    def __init__(
        self, known: KnownServer, once: Callable[[Operation[Any], Target, float], Later[Any]]
    ) -> None:
        self._known = known
        self._once = once
        self._begin_anew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._turn = Slots(1)

    async def profile(self) -> ServerProfile | None:
        """Return the profile of the server, asking ``GET /`` where it is not known or doubtful.

        Returns:
            The profile; None where the server did not tell.
        """
        known = self._known
        await self._in_turn(lambda: not known.fresh and known.may_ask, self._ask)
        return known.profile

    async def certain(self, target: Target) -> ServerProfile | None:
        """Return the profile, with 2.3.7 told from a build of 2.4 that calls itself so.

        Args:
            target: Whose key may be used.

        Returns:
            The profile; None where the server did not tell.
        """
        await self.profile()
        known = self._known
        await self._in_turn(lambda: known.develop_unasked, lambda: self._ask_route(target))
        return known.profile

    async def anew(self, target: Target) -> ServerProfile | None:
        """Return the profile as the server tells it now; None where it does not tell.

        Args:
            target: Whose key may be used.
        """
        self._known.doubt()
        profile = await self.certain(target)
        unsure = not self._known.fresh or self._known.develop_unasked
        return None if unsure else profile

    async def _in_turn(self, due: Callable[[], bool], ask: Callable[[], Later[None]]) -> None:
        """Ask what is due; whoever comes meanwhile waits for the one answer."""
        if not due() or not await self._turn.take(_LIMIT_MS):
            return
        try:
            if due():
                await ask()
        finally:
            self._turn.give()

    async def _ask_route(self, target: Target) -> None:
        from evolution_sdk.operations.routes.baileys import GENERATE_MESSAGE_ID

        known = self._known
        try:
            await self._once(
                GENERATE_MESSAGE_ID, Target(target.instance or _NOBODY, target.token), _LIMIT_MS
            )
        except RouteNotFoundError:
            known.told_develop(False)
        except EvolutionAPIError as error:
            # Any other refusal of the server's own comes from behind the route: it is there.
            if error.by_server:
                known.told_develop(True)
            else:
                known.develop_failed()
        except EvolutionError as error:
            known.develop_failed()
            _log.debug("the server's routes are not told: %s", type(error).__name__)
        else:
            known.told_develop(True)

    async def _ask(self) -> None:
        from evolution_sdk.operations.routes.server import GET_INFORMATION

        try:
            await self._once(GET_INFORMATION, Target(), _LIMIT_MS)
        except EvolutionError as error:
            self._known.failed()
            _log.debug("the server's version is not told: %s", type(error).__name__)

"""Methods for profiles of others and of the account."""

from __future__ import annotations

from typing import Literal, Unpack

from evolution_sdk._async.fetching import as_text, plan_file
from evolution_sdk._client.compose import MediaLike
from evolution_sdk._client.options import CACHE_KEYS, CacheOptions, CallOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import requests_chat as req
from evolution_sdk.models.chat import (
    BusinessProfile,
    PrivacySettings,
    Profile,
    ProfilePicture,
    UpdateAck,
)
from evolution_sdk.operations.routes import chat as ops
from evolution_sdk.resilience.cache import Key

from .base import AsyncResourceApi


class AsyncProfileApi(AsyncResourceApi):
    """Profiles; part of :class:`AsyncChatsApi`, like the server's /chat routes."""

    __slots__ = ()

    async def fetch_profile_picture_url(
        self, number: str | PhoneNumber | Jid, **options: Unpack[CacheOptions]
    ) -> ProfilePicture:
        """Look up a profile picture. If the cache is on, it may answer.

        Args:
            number: Number of the person, or JID of the group.
            **options: Options of one call, see :class:`~evolution_sdk.CacheOptions`.

        Returns:
            The URL, which expires; None if it is hidden or missing, or if the look-up failed.

        Raises:
            RequestValidationError: It is not a number.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.NumberRequest.check(number=number)
        body = request.body()

        async def ask() -> ProfilePicture:
            return await self._pipeline.call(
                ops.FETCH_PROFILE_PICTURE_URL,
                self._target,
                body,
                options=options,
                known_options=CACHE_KEYS,
            )

        found = self._pipeline.cache_for("picture look-up", options)
        if found is None:
            return await ask()
        cache, fresh = found
        key: Key = ("picture", self._target.instance, body["number"])
        return await cache.one(key, ask, _has_no_picture, fresh=fresh)

    async def fetch_business_profile(
        self, number: str | PhoneNumber | Jid | None = None, **options: Unpack[CallOptions]
    ) -> BusinessProfile:
        """Look up a business profile.

        Args:
            number: Number of the business or person. Default: the account itself.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The profile, or one with ``is_business`` False.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.OptionalNumberRequest.check(number=number)
        return await self._pipeline.call(
            ops.FETCH_BUSINESS_PROFILE, self._target, request.body(), options=options
        )

    async def fetch_profile(
        self, number: str | PhoneNumber | Jid | None = None, **options: Unpack[CallOptions]
    ) -> Profile:
        """Look up a profile.

        Args:
            number: Number of the business or person. Default: the account itself.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The profile; ``degraded`` if the server failed inside and answered nulls.

        Raises:
            RecipientNotFoundError: The number is not on WhatsApp.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.OptionalNumberRequest.check(number=number)
        return await self._pipeline.call(
            ops.FETCH_PROFILE, self._target, request.body(), options=options
        )

    async def update_profile_name(self, name: str, **options: Unpack[CallOptions]) -> UpdateAck:
        """Change the account's name.

        Args:
            name: The new name.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: The name is empty.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ProfileNameRequest.check(name=name)
        return await self._call(ops.UPDATE_PROFILE_NAME, request, options)

    async def update_profile_status(self, status: str, **options: Unpack[CallOptions]) -> UpdateAck:
        """Change the account's about text.

        Args:
            status: The new text.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ProfileStatusRequest.check(status=status)
        return await self._call(ops.UPDATE_PROFILE_STATUS, request, options)

    async def update_profile_picture(
        self, picture: MediaLike, **options: Unpack[CallOptions]
    ) -> UpdateAck:
        """Change the account's picture; the server reconnects afterwards.

        Args:
            picture: The image; a URL is left to the server, like one of ``messages.send_media``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: It is not an image that the server accepts; nothing was changed.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        operation = ops.UPDATE_PROFILE_PICTURE
        text = await as_text(await plan_file(self._pipeline, operation, picture, "picture"))
        request = req.ProfilePictureRequest.check(picture=text)
        return await self._call(operation, request, options)

    async def remove_profile_picture(self, **options: Unpack[CallOptions]) -> UpdateAck:
        """Remove the account's picture; the server reconnects afterwards.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.REMOVE_PROFILE_PICTURE, self._target, options=options)

    async def fetch_privacy_settings(self, **options: Unpack[CallOptions]) -> PrivacySettings:
        """Read the privacy settings.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The settings. They may come from the server's cache, so they do not prove a connection.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FETCH_PRIVACY_SETTINGS, self._target, options=options)

    async def update_privacy_settings(
        self,
        *,
        readreceipts: Literal["all", "none"],
        profile: req.PrivacyValue,
        status: req.PrivacyValue,
        online: Literal["all", "match_last_seen"],
        last: req.PrivacyValue,
        groupadd: req.PrivacyValue,
        **options: Unpack[CallOptions],
    ) -> UpdateAck:
        """Change the privacy settings, all six at once; the server reconnects afterwards.

        Args:
            readreceipts: People who get read receipts.
            profile: People who see the picture.
            status: People who see the about text.
            online: People who see that the account is online.
            last: People who see the time it was last seen.
            groupadd: People who may add it to groups.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement with an echo.

        Raises:
            RequestValidationError: There is no such value.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.PrivacyRequest.check(
            readreceipts=readreceipts,
            profile=profile,
            status=status,
            online=online,
            last=last,
            groupadd=groupadd,
        )
        return await self._call(ops.UPDATE_PRIVACY_SETTINGS, request, options)


def _has_no_picture(picture: ProfilePicture) -> bool:
    return picture.profile_picture_url is None

"""Meta's message templates; WHATSAPP-BUSINESS only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.models.template import (
    CreateTemplateRequest,
    DeleteTemplateRequest,
    EditTemplateRequest,
    MessageTemplate,
    StoredTemplate,
    TemplateAck,
    TemplateCategoryName,
)
from evolution_sdk.operations.routes import template as ops

from .base import AsyncResourceApi


class AsyncTemplatesApi(AsyncResourceApi):
    """Meta's message templates."""

    __slots__ = ()

    async def create(
        self,
        name: str,
        *,
        category: TemplateCategoryName,
        language: str,
        components: Sequence[Mapping[str, Any]],
        allow_category_change: bool | None = None,
        webhook_url: str | None = None,
        **options: Unpack[SendOptions],
    ) -> StoredTemplate:
        """Submit a template to Meta for review.

        Names are unique in the server's database across all of its instances. A second template of
        the same name is accepted by Meta, and the server then answers with an error.

        Args:
            name: Its name.
            category: ``AUTHENTICATION``, ``MARKETING`` or ``UTILITY``.
            language: Its language, such as ``pt_BR``.
            components: Meta's template components.
            allow_category_change: True if Meta may choose another category.
            webhook_url: URL to which the server posts later changes of its status.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The stored template, with Meta's id and its first status.

        Raises:
            RequestValidationError: A value breaks a rule.
            MetaAPIError: Meta refused it.
            SendOutcomeUnknownError: Meta may have it: the server failed afterwards (as for a name
                that it has already), or no answer arrived. Check with :meth:`find`.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = CreateTemplateRequest.check(
            name=name,
            category=category,
            language=language,
            components=tuple(components),
            allow_category_change=allow_category_change,
            webhook_url=webhook_url,
        )
        return await self._act(ops.CREATE_TEMPLATE, request.body(), options)

    async def edit(
        self,
        template_id: str,
        *,
        components: Sequence[Mapping[str, Any]] | None = None,
        category: TemplateCategoryName | None = None,
        allow_category_change: bool | None = None,
        ttl_seconds: int | None = None,
        **options: Unpack[SendOptions],
    ) -> TemplateAck:
        """Change a template, for Meta to review anew (server 2.3.7).

        Meta limits how often a template may be changed, so that a lost answer is not repeated by
        itself.

        Args:
            template_id: Meta's id of it.
            components: Meta's template components; they replace the old ones.
            category: ``AUTHENTICATION``, ``MARKETING`` or ``UTILITY``.
            allow_category_change: True if Meta may choose another category.
            ttl_seconds: Time in which a message of it must be delivered, in seconds.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            Meta's acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            UnsupportedByServerError: The server is older than 2.3.7.
            MetaAPIError: Meta refused it.
            SendOutcomeUnknownError: No answer tells if Meta has it. Check with :meth:`find`.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = EditTemplateRequest.check(
            template_id=template_id,
            category=category,
            components=None if components is None else tuple(components),
            allow_category_change=allow_category_change,
            ttl=ttl_seconds,
        )
        return await self._act(ops.EDIT_TEMPLATE, request.body(), options)

    async def delete(
        self, name: str, *, hsm_id: str | None = None, **options: Unpack[CallOptions]
    ) -> TemplateAck:
        """Remove a template (server 2.3.7).

        Args:
            name: Its name. Without ``hsm_id``, Meta removes it in all languages.
            hsm_id: Meta's id of one language of it.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Meta's acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            UnsupportedByServerError: The server is older than 2.3.7.
            MetaAPIError: Meta refused it.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = DeleteTemplateRequest.check(name=name, hsm_id=hsm_id)
        return await self._call(ops.DELETE_TEMPLATE, request, options)

    async def find(self, **options: Unpack[CallOptions]) -> list[MessageTemplate]:
        """List Meta's templates; the server returns the first page only.

        The server keeps the account in a shared variable: simultaneous calls for different
        instances can mix them up (`facts/endpoints.json`, template.find_templates).

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The templates.

        Raises:
            MetaAPIError: Meta refused; the server answers with an empty body then, without reason.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_TEMPLATES, self._target, options=options)

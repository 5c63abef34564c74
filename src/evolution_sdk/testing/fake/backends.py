"""What a test says about the services behind the chatbots."""

from __future__ import annotations

from .world import World


class Backends:
    """The services behind the chatbots, as :class:`FakeEvolution` pretends them to be."""

    _world: World

    def set_typebot_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to Typebot, which answers at first.

        Without it ``typebot/start`` opens no session, and answers nothing at all unless
        ``startSession`` is set.
        """
        self._world.typebot_reachable = reachable

    def set_openai_models(self, *models: str) -> None:
        """Let OpenAI be reached and list these models; at first it cannot be reached.

        Args:
            *models: Their ids, such as ``gpt-4o``.
        """
        self._world.openai_models = [
            {"id": name, "object": "model", "created": 1_715_367_049, "owned_by": "system"}
            for name in models
        ]

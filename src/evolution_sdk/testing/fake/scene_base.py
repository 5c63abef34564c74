"""What every part of the scene works on."""

from __future__ import annotations

from evolution_sdk._common.arguments import checked

from .arranging import NotArrangedError
from .kernel import Kernel
from .state import Instance, MessageRow
from .world import World


@checked()
class SceneBase:
    """The state behind the scene, and finding an instance or a message in it."""

    _world: World
    _kernel: Kernel

    @property
    def instances(self) -> dict[str, Instance]:
        """The instances by name; read their rows, change them through the methods here."""
        with self._kernel.lock:
            return {row.name: row for row in self._world.rows()}

    def _instance(self, name: str) -> Instance:
        instance = self._world.known(name)
        if instance is None:
            known = ", ".join(repr(row.name) for row in self._world.rows()) or "none"
            raise NotArrangedError(
                f"the fake has no instance {name!r} (it has {known})", variable="instance"
            )
        return instance

    def _message(self, key_id: str) -> tuple[Instance, MessageRow]:
        for instance in self._world.rows():
            row = instance.message(key_id)
            if row is not None:
                return instance, row
        raise NotArrangedError(f"no stored message has the id {key_id!r}", variable="key_id")

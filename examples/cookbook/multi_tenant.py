"""Many customers on one server: each has an instance, and a key that opens only this one.

Run: python examples/cookbook/multi_tenant.py padaria, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping

from evolution_sdk import EvolutionClient, Instance
from evolution_sdk.errors import InstanceAlreadyExistsError


def sign_up(client: EvolutionClient, keys: MutableMapping[str, str], tenant: str) -> None:
    """Create the instance of a tenant once, and keep its key, which opens only that instance."""
    name = f"tenant-{tenant}"
    if name in keys:
        return
    try:
        keys[name] = client.instances.create(name).token
    except InstanceAlreadyExistsError:
        # It exists, but its key never reached your database: ask the server for it.
        keys[name] = client.instances.fetch(name)[0].token or ""


def of_tenant(client: EvolutionClient, keys: MutableMapping[str, str], tenant: str) -> Instance:
    """Return the handle for this tenant's requests; they must use no other."""
    name = f"tenant-{tenant}"
    return client.instance(name, token=keys[name])


def main() -> None:
    """Sign a tenant up, and print the name of its instance."""
    keys: dict[str, str] = {}  # encrypted, in your database
    with EvolutionClient() as client:
        sign_up(client, keys, sys.argv[1])
        print(of_tenant(client, keys, sys.argv[1]).name, "is ready to be connected")


if __name__ == "__main__":
    main()

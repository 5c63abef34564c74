"""Create an instance, show its QR code, wait until a phone has scanned it.

Run: python examples/connect_phone.py [name]; a real server needs its global key.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from evolution_sdk import ConfigurationError, EvolutionClient, InstanceAlreadyExistsError
from evolution_sdk.testing import FakeEvolution

FAKE_KEY = "demo-key"


def main() -> None:
    """Connect; on a fake server the phone is a fake one, and the instance is deleted again."""
    name = sys.argv[1] if len(sys.argv) > 1 else "support"
    with ExitStack() as stack:
        fake: FakeEvolution | None = None
        try:
            client = stack.enter_context(EvolutionClient())
        except ConfigurationError as error:
            if error.variable != "EVOLUTION_API_URL":
                raise
            print("EVOLUTION_API_URL is not set: using the fake server of evolution_sdk.testing")
            fake = stack.enter_context(FakeEvolution(api_key=FAKE_KEY).serve())
            client = stack.enter_context(EvolutionClient(fake.url, FAKE_KEY))

        try:
            print(f"created   {client.instances.create(name).name}")
        except InstanceAlreadyExistsError:
            print(f"exists    {name}")

        qr = client.instances.wait_for_qr(name)
        if qr.base64 is not None:
            picture = Path(tempfile.mkdtemp(), "qr.png")
            picture.write_bytes(base64.b64decode(qr.base64.partition(",")[2]))
            print(f"scan      {picture}")
        if fake is not None:
            fake.scan_qr(name)

        print(f"state     {client.instances.wait_until('open', name, wait_ms=120_000).state}")
        if fake is not None:
            client.instances.delete(name, wait=True)
            print(f"deleted   {name}")


if __name__ == "__main__":
    main()

"""Files and other kinds of messages.

Run: python examples/send_media.py [number]
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from _server import server

from evolution_sdk import ContactCard, EvolutionClient, Media, RequestValidationError

# The smallest PNG there is: one pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def main() -> None:
    """Send a document, an image, a place and a contact; then a quotation of the first."""
    with server() as place, EvolutionClient(config=place.config) as client:
        with tempfile.TemporaryDirectory() as folder:
            invoice = Path(folder, "invoice-4711.txt")
            invoice.write_text("Invoice 4711: R$ 120,00\n", encoding="utf-8")
            document = client.messages.send_media(place.number, invoice, caption="Invoice 4711")
        print(f"document  {document.message_type}: {document.text}")

        image = Media.from_bytes(PIXEL, file_name="pixel.png")
        print(f"image     {client.messages.send_media(place.number, image).message_type}")

        where = client.messages.send_location(
            place.number, -23.5614, -46.6559, name="MASP", address="Av. Paulista, 1578"
        )
        print(f"place     {where.message_type}: {where.text}")

        card = ContactCard(full_name="Ana Souza", phone_number="5511888888888")
        print(f"contact   {client.messages.send_contact(place.number, card).message_type}")

        answer = client.messages.send_text(place.number, "Please pay by Friday", quoted=document)
        print(f"answer    {answer.text}")

        try:  # refused here, before anything is sent
            client.messages.send_media(place.number, "invoice-4711.txt")
        except RequestValidationError as error:
            print(f"refused   {error}")


if __name__ == "__main__":
    main()

"""What a test says about groups, labels, shops and LIDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from evolution_sdk._common.arguments import checked

from .arranging import ArrangementError
from .groups import Description, Group, Member
from .js import JsonObject, iso
from .network import Shop
from .numbers import create_jid
from .scene_base import SceneBase


@checked()
class GroupScene(SceneBase):
    """The phone network's groups and business numbers."""

    @property
    def groups(self) -> dict[str, Group]:
        """The groups by JID, made through the API or here; read them, change them by requests."""
        with self._kernel.lock:
            return dict(self._world.network.groups)

    def add_group(
        self,
        jid: str,
        subject: str = "Group",
        participants: Sequence[str] = (),
        *,
        admins: Sequence[str] = (),
        owner: str | None = None,
        description: str | None = None,
        invite_code: str | None = None,
        joined: bool = True,
        cached: bool = False,
    ) -> None:
        """Add a group that somebody made on a phone; sends to groups that do not exist fail.

        Args:
            jid: Its JID, ending in ``@g.us``.
            subject: Its name.
            participants: JIDs of the members, phones or LIDs.
            admins: Which of them are admins.
            owner: Who of them made it; counts as an admin.
            description: Its description.
            invite_code: Of its invitation link; made up when None.
            joined: Whether connected instances whose account is not listed are members and
                admins all the same; else they have to be invited.
            cached: Whether the server has its metadata already.

        Raises:
            ValueError: An admin or the owner is not among the participants.
        """
        strangers = {*admins, *([] if owner is None else [owner])} - {*participants}
        if strangers:
            names = ", ".join(sorted(map(str, strangers)))
            raise ArrangementError(
                f"admins and owner: not among the participants: {names}",
                variable="admins",
            )
        with self._kernel.lock:
            world = self._world
            ids, now = world.ids, int(world.now_ms() / 1000)
            about = Description(description, ids.whatsapp(), owner, now) if description else None
            group = Group(
                jid, subject, created_s=now, subject_s=now, owner=owner, subject_owner=owner,
                description=about, invite_code=invite_code or ids.invite_code(), assumed=joined,
            )  # fmt: skip
            for person in participants:
                rank: Literal["admin"] | None = "admin" if person in admins else None
                group.members.append(Member(person, "superadmin" if person == owner else rank))
            world.network.groups[jid] = group
            if cached:
                world.network.cached_groups.add(jid)

    def set_lid(self, number: str, lid: str) -> None:
        """Say under which LID WhatsApp knows a number; else the fake derives one.

        Args:
            number: The phone's number.
            lid: The LID, ending in ``@lid``.
        """
        with self._kernel.lock:
            self._world.network.lids.set(create_jid(number), lid)

    def refuses_groups(self, *numbers: str, status: str = "403") -> None:
        """Let people refuse to be put into groups.

        Args:
            *numbers: Their numbers.
            status: What adding them answers: ``403`` (their privacy; an invitation code comes
                with it) or ``408`` (they left lately).
        """
        with self._kernel.lock:
            for number in numbers:
                self._world.network.group_refusals[create_jid(number)] = status

    def set_shop(
        self,
        number: str,
        products: Sequence[JsonObject] = (),
        collections: Sequence[JsonObject] = (),
    ) -> None:
        """Say what a business number sells; numbers sell nothing unless told so.

        Args:
            number: The number, the own one included.
            products: As ``getCatalog`` lists them.
            collections: As ``getCollections`` lists them.
        """
        with self._kernel.lock:
            shop = Shop(list(products), list(collections))
            self._world.network.shops[create_jid(number)] = shop

    def add_label(
        self, instance: str, label_id: str, name: str, *, color: int = 0,
        predefined_id: str | None = None,
    ) -> None:  # fmt: skip
        """Let a label come from the phone: stored and announced (``labels.edit``).

        Args:
            instance: Whose label it is.
            label_id: Its id.
            name: Its name; the server keeps printable ASCII only.
            color: The number of its colour.
            predefined_id: Which of WhatsApp's own labels it is.
        """
        with self._kernel.lock:
            world, owner = self._world, self._instance(instance)
            now = iso(world.now_ms())
            row: JsonObject = {
                "id": world.ids.row(),
                "labelId": label_id,
                "name": "".join(mark for mark in name if " " <= mark <= "~"),
                "color": str(color),
                "predefinedId": predefined_id,
                "createdAt": now,
                "updatedAt": now,
                "instanceId": owner.id,
            }
            rows = owner.tables.setdefault("Label", [])
            rows[:] = [kept for kept in rows if kept["labelId"] != label_id] + [row]
            data = {"id": label_id, "name": name, "color": color, "deleted": False}
            extra = {"predefinedId": predefined_id, "instance": owner.name}
            world.emit(owner, "labels.edit", {**data, **extra})

    def set_label_bookkeeping(self, works: bool) -> None:
        """Say whether the database can note labels of chats.

        It cannot on a server migrated as shipped: ``handleLabel`` then answers 400 although
        WhatsApp has the label. True is a database with the missing index.
        """
        self._world.label_bookkeeping = works

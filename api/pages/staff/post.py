"""The gate at which a guard stands (所在门岗), chosen once in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.place import Place, place_of
from domains.access import permissions as access
from domains.kernel.actor import Actor
from schema.relay import decode


@dataclass(frozen=True, slots=True)
class Post:
    """The compound, its doors as far as the caller may see them, and the one that was chosen."""

    place: Place
    doors: list[Data]
    chosen: Data | None

    @property
    def door(self) -> str:
        """The global id of the chosen door; empty while none is."""
        return str(self.chosen["id"]) if self.chosen else ""


async def post_of(page: Page, place: Place | None = None) -> Post:
    """The door chosen last, or the only one there is."""
    place = place or await place_of(page)
    doors = await _doors(page, place)
    kept = page.jar.get("door")
    chosen = next((each for each in doors if each["id"] == kept), None)
    return Post(place, doors, doors[0] if len(doors) == 1 else chosen)


async def _doors(page: Page, place: Place) -> list[Data]:
    if not holds(page, place, access.DOORS_READ):
        return []
    found: list[Data] = (await page.ask("GuardDoors", compound=place.id))["doors"]["nodes"]
    return found


async def stand_at(page: Page, door: str) -> None:
    """Another door, from now on; one that is not there is not taken."""
    if any(each["id"] == door for each in (await post_of(page)).doors):
        page.jar.set("door", door)


def holds(page: Page, place: Place, permission: str) -> bool:
    """Whether the caller holds a permission in the compound, over all or some of its buildings."""
    actor: Actor = page.context.actor
    return actor.may(permission, decode(place.id, "Compound", "compound"))


def door_of(page: Page, post: Post) -> str:
    """The chosen door. Raises Refusal while none is."""
    if not post.door:
        raise Refusal("DOOR_NOT_CHOSEN", page.texts("请先选择您所在的门岗"), 400)
    return post.door

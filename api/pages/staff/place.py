"""The compound that a staff page is about (当前小区)."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages.asking import Data, Refusal
from api.pages.page import Page


@dataclass(frozen=True, slots=True)
class Place:
    """The compound that was chosen, among those in which the caller works."""

    chosen: Data
    all: list[Data]

    @property
    def id(self) -> str:
        """Its global id."""
        return str(self.chosen["id"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.chosen["name"])

    @property
    def buildings(self) -> list[Data]:
        """Its buildings that the caller may see."""
        return list(self.chosen["buildings"])


async def place_of(page: Page) -> Place:
    """The compound chosen last, else the first. Refusal where the caller works in none."""
    found = (await page.ask("Compounds"))["compounds"]
    if not found:
        raise Refusal("FORBIDDEN", page.texts("您还没有可以管理的小区，请联系管理员授权"), 403)
    kept = page.jar.get("compound")
    return Place(next((each for each in found if each["id"] == kept), found[0]), found)


async def choose(page: Page, wanted: str) -> None:
    """Another compound, from now on; one in which the caller does not work is not taken."""
    if any(each["id"] == wanted for each in (await page.ask("Compounds"))["compounds"]):
        page.jar.set("compound", wanted)

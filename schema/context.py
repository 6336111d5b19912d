"""What a resolver knows about the request: the caller, the language, and this request's loaders."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

import strawberry
from strawberry.dataloader import DataLoader

from domains.kernel.actor import ANONYMOUS, Actor

Language = Literal["zh", "en"]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# A loader's class is a dictionary key here, whatever it loads.
L = TypeVar("L", bound="Loader[Any, Any]")


@dataclass(slots=True)
class Context:
    """One operation's surroundings. It holds nothing of the request's text, on purpose:
    a resolver that read the text could not be compiled once for all requests.

    `budget_key` is whom limits are counted for: the account, or the address of a stranger."""

    actor: Actor = ANONYMOUS
    request_id: str = ""
    language: Language = "zh"
    headers: dict[str, str] = field(default_factory=dict)
    budget_key: str = ""
    loaders: dict[type[object], object] = field(default_factory=dict, repr=False)
    renewal: Callable[[], Awaitable[Actor]] | None = field(default=None, repr=False)

    async def renew(self) -> None:
        """Read anew who calls and what they may: an operation may last longer than that."""
        if self.renewal is not None:
            self.actor = await self.renewal()
            self.loaders.clear()

    def loader(self, kind: type[L]) -> L:
        """The one loader of this kind for this request, made when first asked for."""
        found = self.loaders.get(kind)
        if found is None:
            found = self.loaders[kind] = kind(self)
        return cast("L", found)


Info: TypeAlias = strawberry.Info[Context, None]


class Loader(DataLoader[K, V | None], Generic[K, V]):
    """Answers many keys with one call; a key without a row answers None."""

    def __init__(self, context: Context) -> None:
        super().__init__(load_fn=self._in_order)
        self.context = context

    @abstractmethod
    async def fetch(self, keys: list[K]) -> Mapping[K, V]:
        """The values that exist and that the context's actor may see, by key."""

    async def _in_order(self, keys: list[K]) -> list[V | BaseException | None]:
        found = await self.fetch(keys)
        return [found.get(key) for key in keys]


def language_of(accept_language: str) -> Language:
    """Chinese unless English is preferred (RFC 9110 §12.5.4)."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in accept_language.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        primary = tag.split("-")[0]
        quality = _quality(weight)
        if primary in ("zh", "en") and quality > best[0]:
            best = (quality, "en" if primary == "en" else "zh")
    return best[1]


def _quality(weight: str) -> float:
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0

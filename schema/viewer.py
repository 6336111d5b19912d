"""The viewer: a signed-in person's own things, put together from the domains."""

from __future__ import annotations

import strawberry

from schema.home import HomeViewer
from schema.permissions import signed_in_at_all
from schema.profile import IdentityViewer
from schema.residents import ResidentsViewer


@strawberry.type(description="The caller's own things (我的).")
class Viewer(IdentityViewer, ResidentsViewer, HomeViewer):
    """Each of its bases adds fields and holds nothing: the caller is in the context."""


@strawberry.type
class ViewerQuery:
    """The root of a person's own things."""

    @strawberry.field(
        description="The caller's own things; an error UNAUTHENTICATED for who is not signed in.",
        extensions=[signed_in_at_all],
    )
    def viewer(self) -> Viewer | None:
        return Viewer()

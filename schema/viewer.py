"""The viewer: a signed-in person's own things, put together from the domains."""

from __future__ import annotations

import strawberry

from schema.access_records import AccessRecordsViewer
from schema.bills import BillsViewer
from schema.context import Info
from schema.doors import DoorsViewer
from schema.home import HomeViewer
from schema.house_accounts import HouseAccountsViewer
from schema.inbox import InboxViewer
from schema.live import LiveViewer, place_before
from schema.meters import MetersViewer
from schema.notification_settings import NotificationSettingsViewer
from schema.open_books import OpenBooksViewer
from schema.pass_templates import PassTemplatesViewer
from schema.payments import PaymentsViewer
from schema.permissions import signed_in_at_all
from schema.profile import IdentityViewer
from schema.residents import ResidentsViewer
from schema.subscribe_messages import SubscribeViewer
from schema.vacancies import VacanciesViewer
from schema.visitor_passes import VisitorsViewer


@strawberry.type(description="The caller's own things (我的).")
class Viewer(
    BillsViewer, PaymentsViewer, HouseAccountsViewer, VisitorsViewer, PassTemplatesViewer,
    IdentityViewer, ResidentsViewer, HomeViewer, InboxViewer, NotificationSettingsViewer, SubscribeViewer,
    LiveViewer, DoorsViewer, AccessRecordsViewer, MetersViewer, VacanciesViewer, OpenBooksViewer,
):  # fmt: skip
    """Each of its bases adds fields and holds nothing of the caller, who is in the context."""


@strawberry.type
class ViewerQuery:
    """The root of a person's own things."""

    @strawberry.field(
        description="The caller's own things; an error UNAUTHENTICATED for who is not signed in.",
        extensions=[signed_in_at_all],
    )
    async def viewer(self, info: Info) -> Viewer | None:
        return Viewer(place=await place_before(info))

"""Whoever asks for a waiver, an adjustment or a void is not the one who approves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.models import Correction
from domains.billing.service.corrections import (
    decide_correction,
    request_adjustment,
    request_void,
    request_waiver,
)
from domains.kernel.errors import Conflict
from tests.factories import bills, ledger, residents

pytestmark = pytest.mark.usefixtures("instance")


@pytest.mark.parametrize("kind", ["waiver", "adjustment", "void"])
async def test_nobody_decides_their_own(kind: str) -> None:
    scene = await residents.scene()
    both = scene.staff(permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE)
    bill = await bills.bill(scene.house_id, 1_000)
    line = await bills.line_of(bill)
    ways: Mapping[str, Callable[[], Awaitable[UUID]]] = {
        "waiver": lambda: request_waiver(
            both, bill_id=bill, concern="principal", amount_fen=10, reason="漏水"
        ),
        "adjustment": lambda: request_adjustment(both, line_id=line, amount_fen=-10, reason="漏水"),
        "void": lambda: request_void(both, bill_id=bill, reason="漏水"),
    }
    asked = await ways[kind]()
    for verdict in (True, False):
        with pytest.raises(Conflict, match="CORRECTION_OWN"):
            await decide_correction(both, correction_id=asked, approve=verdict, note="可以")
    assert (await Correction.get(pk=asked)).state == "requested"
    assert await bills.state_of(bill) == ("open", 1_000, 0, 0, 0)
    assert await ledger.trial_balance(scene.compound_id) == {"receivable": 1_000, "income": -1_000}
    await ledger.check_books()

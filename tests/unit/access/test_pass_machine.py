"""A pass in whatever order things happen to it, beside a model of it that fits on a page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains.access import permissions
from domains.access.models import Revocation, VisitorPass
from domains.access.rules import REQUEST_LIFE, TOLERANCE
from domains.access.service import ending, passes, requests, uses
from domains.kernel import clock
from domains.kernel.errors import Conflict
from tests.factories import residents, visits
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
LENGTH = timedelta(hours=3)
ALLOWED = 2


@dataclass
class Model:
    """What a pass is said to be."""

    state: str
    at: datetime
    uses: int = 0
    listed: int = 0

    @property
    def age(self) -> timedelta:
        """Since it was made, its window begins and its request waits."""
        return self.at - START

    def decide(self, approve: bool) -> bool:
        """Whether the decision counts."""
        if self.state != "requested" or (approve and self.age >= LENGTH):
            return False
        self.state = "active" if approve else "rejected"
        return True

    def use(self) -> bool:
        """Whether the gate opens."""
        if self.state != "active" or self.age > LENGTH + TOLERANCE:
            return False
        self.uses += 1
        self.state = "used_up" if self.uses == ALLOWED else "active"
        return True

    def revoke(self) -> bool:
        """Whether it was taken back."""
        if self.state not in ("requested", "active", "used_up"):
            return False
        self.listed += self.state != "requested"
        self.state = "revoked"
        return True

    def expire(self) -> None:
        """The job runs."""
        late = self.state == "requested" and (self.age > REQUEST_LIFE or self.age > LENGTH)
        if late or (self.state == "active" and self.age > LENGTH + TOLERANCE):
            self.state = "expired"


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["approve", "reject", "use", "use", "revoke", "expire"]),
        st.sampled_from([1, 59, 60, 61, 120, 181, 182]).map(lambda minutes: f"wait {minutes}"),
    ),
    max_size=12,
)


async def step(scene: Scene, id: UUID, model: Model, time: clock.FixedClock, name: str) -> None:
    owner = await visits.owner(scene)
    guard = scene.staff(permissions.VISITORS_ADMIT)
    if name.startswith("wait"):
        time.advance(timedelta(minutes=int(name.split()[1])))
        model.at = time.now()
    elif name == "use":
        assert (await uses.use(id, time.now()) is not None) == model.use()
    elif name == "expire":
        await ending.expire()
        model.expire()
    else:
        counted = model.revoke() if name == "revoke" else model.decide(name == "approve")
        if name == "revoke":
            command = passes.revoke_visitor_pass(owner, visitor_pass_id=id)
        else:
            command = requests.decide_visitor_pass(
                guard, visitor_pass_id=id, approve=name == "approve", reason="不认识"
            )
        try:
            await command
        except Conflict:
            assert not counted
        else:
            assert counted


async def run(scene: Scene, is_asked_for: bool, steps: list[str]) -> None:
    with clock.use(clock.FixedClock(START)) as time:
        if is_asked_for:
            id = await visits.ask_for_pass(scene, ends_at=START + LENGTH)
            await VisitorPass.filter(pk=id).update(uses_allowed=ALLOWED)
        else:
            owner = await visits.owner(scene)
            id = await visits.create(owner, scene.house_id, ends_at=START + LENGTH, uses=ALLOWED)
        model = Model("requested" if is_asked_for else "active", START)
        for name in steps:
            await step(scene, id, model, time, name)
            made = await VisitorPass.get(pk=id)
            assert (made.state, made.uses) == (model.state, model.uses)
            assert await Revocation.filter(pass_id=id).count() == model.listed
            assert (made.ended_at is None) == (model.state in ("requested", "active"))


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Requests of one house come faster here than anybody may send them."""

    async def unlimited(*_: object) -> None:
        return None

    monkeypatch.setattr(requests, "_take", unlimited)
    made = await residents.scene()
    await visits.set_rules(made.compound_id, daily_passes_per_house=1000)
    return made


async def test_in_whatever_order(scene: Scene) -> None:
    loop = asyncio.get_running_loop()
    found: list[tuple[bool, list[str]]] = []

    @settings(
        max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )  # fmt: skip
    @given(st.booleans(), STEPS)
    def collect(is_asked_for: bool, steps: list[str]) -> None:
        found.append((is_asked_for, steps))

    await loop.run_in_executor(None, collect)
    for is_asked_for, steps in found:
        await run(scene, is_asked_for, steps)

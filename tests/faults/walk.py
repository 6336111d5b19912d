"""A random walk over payments as a state machine: rules begin steps, many of which are under way at once, and processes
are killed in the midst of them.

Drawn is what is done, and how long ago it was begun what it is done to: nothing that is drawn depends on what came of
what was drawn before, so that the same seed is always the same walk.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.faults.walk_end import End
from tests.faults.walk_steps import (
    Ask,
    Begin,
    BeginAgain,
    Expire,
    Forge,
    HearAgain,
    How,
    OtherWay,
    Pay,
    Payer,
    Refund,
    Step,
    TapAgain,
    Trouble,
    Unstick,
    Watch,
)
from tests.faults.walk_town import PROCESSES, Process

PAYERS: Final = 6
# So many rules at least lie between two that kill.
KILL_AFTER: Final = 300

_CALLS: Final = ("drop", "busy", "busy_done", "http_500", "http_429", "cut", "slow")
_REFUNDS: Final = (*_CALLS, "pending", "not_enough")
_NOTICES: Final = (
    "duplicate", "duplicate", "reorder", "delay", "drop", "bad_signature", "sha1_signature", "stale", "wrong_app",
    "wrong_seller",
)  # fmt: skip
_TROUBLES: Final = {
    "alipay": {
        "alipay.trade.create": _CALLS, "alipay.trade.precreate": _CALLS, "alipay.trade.query": _CALLS,
        "alipay.trade.close": _CALLS, "alipay.trade.refund": _REFUNDS, "alipay.trade.fastpay.refund.query": _CALLS,
        "notify": _NOTICES, "pay": ("late",),
    },
    "wechatpay": {
        "prepay": _CALLS, "query": _CALLS, "close": _CALLS, "refund": (*_REFUNDS, "abnormal", "closed"),
        "refund_query": _CALLS, "notify": _NOTICES, "pay": ("late",),
    },
}  # fmt: skip

who = st.integers(0, PAYERS - 1)
last = st.integers(0, 5)
api = st.integers(0, 1)
fen = st.integers(2, 90_000)
how = st.builds(
    How, st.sampled_from(["alipay", "wechat"]), st.sampled_from(["mini_program", "qr"]), st.booleans()
)

beginning = st.builds(Begin, fen, how, api)
beginning_again = st.builds(BeginAgain, last, how, api)
other_way = st.builds(OtherWay, how, api)
tapping = st.builds(TapAgain, api)
paying = st.builds(Pay)
paying_otherwise = st.builds(Pay, fen)
asking = st.builds(Ask, api)
giving_up = st.builds(Ask, api, st.just(True))
watching = st.builds(Watch, st.booleans(), api)
expiring = st.builds(Expire, api)
refunding = st.builds(Refund, st.sampled_from([1.0, 0.5, 0.1]), st.sampled_from([True] * 9 + [False]), api)
unsticking = st.builds(Unstick, st.booleans(), api)
hearing = st.builds(HearAgain, last, api)
forging = st.builds(Forge, api)
trouble = st.sampled_from(
    [
        Trouble(platform, call, kind)
        for platform, calls in _TROUBLES.items()
        for call, kinds in calls.items()
        for kind in kinds
    ]
)
anything = st.one_of(
    paying, paying, paying, paying, paying_otherwise, beginning, beginning_again, other_way, other_way, tapping, asking,
    giving_up, watching, watching, expiring, refunding, refunding, unsticking, hearing, forging, trouble, trouble,
)  # fmt: skip


class Failed(NamedTuple):
    """What failed, and after how many rules."""

    place: int
    failure: BaseException


class Walk(RuleBasedStateMachine):
    """Several people with their payments. Each rule begins what it is named for, and does not wait for its end.

    What has failed is walked once more, so that it can be described. Nothing is done then, for processes are not the same
    twice: the same failure is raised in the same place.
    """

    end: ClassVar[End]
    failed: ClassVar[Failed | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.town = self.end.town
        self.payers = [Payer(self.town) for _ in range(PAYERS)]
        self.place = self.since_kill = 0
        self.has_begun = False

    # Hypothesis begins with the simplest walk there is: nothing but the first rule by name.
    @rule()
    def all_come_to_an_end(self) -> None:
        """Nobody begins anything before whatever is under way has ended."""
        self._run(self.town.finish())

    @rule(who=who, step=beginning)
    def begin(self, who: int, step: Step) -> None:
        self._go(who, 0, step)

    @rule(steps=st.lists(beginning, min_size=2, max_size=PAYERS))
    def begin_all(self, steps: list[Step]) -> None:
        """Neighbours begin at once."""
        for who, step in enumerate(steps):
            self._go(who, 0, step)

    @rule(who=who, step=beginning_again)
    def begin_again(self, who: int, step: Step) -> None:
        self._go(who, 0, step)

    @rule(who=who, last=last, step=other_way)
    def try_another_way(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=tapping)
    def tap_again(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=paying)
    def pay(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=paying_otherwise)
    def pay_less_or_more(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(last=last, step=paying)
    def pay_all(self, last: int, step: Step) -> None:
        """Neighbours pay at once."""
        for who in range(PAYERS):
            self._go(who, last, step)

    @rule(who=who, last=last, step=asking)
    def ask(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=giving_up)
    def give_up(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=watching)
    def watch(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=expiring)
    def expire(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, last=last, step=refunding)
    def refund(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(who=who, step=unsticking)
    def unstick(self, who: int, step: Step) -> None:
        self._go(who, 0, step)

    @rule(who=who, step=hearing)
    def hear_again(self, who: int, step: Step) -> None:
        self._go(who, 0, step)

    @rule(who=who, last=last, step=forging)
    def forge(self, who: int, last: int, step: Step) -> None:
        self._go(who, last, step)

    @rule(step=trouble)
    def order_trouble(self, step: Step) -> None:
        self._go(0, 0, step)

    @rule(who=who, last=last, steps=st.lists(anything, min_size=2, max_size=6))
    def do_at_once(self, who: int, last: int, steps: list[Step]) -> None:
        """All of it to the same payment in the same instant."""
        self._go(who, last, *steps)

    @precondition(lambda self: self.since_kill >= KILL_AFTER)
    @rule(process=st.sampled_from(PROCESSES))
    def kill(self, process: Process) -> None:
        """It is started again at once; whatever it was doing stays as it was."""
        self.since_kill = 0
        if self.failed is None:
            self.town.kill(process)

    def _go(self, who: int, last: int, *steps: Step) -> None:
        self.since_kill += 1
        self.has_begun = True
        self._run(self._begin(self.payers[who], last, steps))

    async def _begin(self, payer: Payer, last: int, steps: Sequence[Step]) -> None:
        attempt = payer.attempt(last)
        await self.town.begin(*(step.take(payer, attempt) for step in steps))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.place += 1
        if self.failed is not None:
            work.close()
            if self.place == self.failed.place:
                raise self.failed.failure
            return
        try:
            self.town.run(work)
        except BaseException as failure:
            type(self).failed = Failed(self.place, failure)
            raise

    def teardown(self) -> None:
        """What has failed is not asked for more."""
        is_over = self.failed is not None and self.place >= self.failed.place
        if self.has_begun and not is_over:
            self._run(self._end())

    async def _end(self) -> None:
        await self.town.finish()
        await self.end.come()
        await self.end.require_truth()

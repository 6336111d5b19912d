"""`make journey`: plays the journeys against a private instance; exits 0 only if every check holds."""

from __future__ import annotations

import sys

from tests.journeys import billing, first_day, moving_in, telling_people, visiting
from tests.journeys.instance import REPOSITORY, free_port, fresh, started
from tests.journeys.steps import Steps


def main() -> int:
    """Play everything; the log's end is shown where something fails."""
    home, port, steps = fresh(REPOSITORY / ".linli" / "journey"), free_port(), Steps()
    first_day.prepare(home, port)
    with started(home, port, "serve") as instance:
        try:
            print("第一天 the first day")
            first_day.play(instance, steps)
            print("入住 moving in")
            moving_in.play(instance, steps)
            print("通知到人 telling people")
            telling_people.play(instance, steps)
            print("访客、门与告警 visitors, doors and alarms")
            visiting.play(instance, steps)
            print("收费、抄表与账单 fees, meters and bills")
            billing.play(instance, steps)
        except Exception:
            print(instance.log.read_text()[-4000:], file=sys.stderr)
            raise
    print(f"{steps.count} steps passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

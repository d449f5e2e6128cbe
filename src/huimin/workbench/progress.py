"""How far the quarter is, as bars: screened, posted and signed, confirmed, paid.

in    the actor and the business date, inside `reading(by)`
out   `Progress` bars; nothing for what has not begun
"""

from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.db import connection

from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor
from huimin.payment import queries
from huimin.payment.models import Roster, RosterLine
from huimin.screening.models import Run
from huimin.screening.queries import find_latest_run
from huimin.workbench.guard import STAFF

SECONDS_KEPT = 30


@dataclass(frozen=True)
class Progress:
    """One bar of the quarter: `done` of `whole`, in words."""

    label: str
    done: int
    whole: int
    text: str


def list_progress(by: Actor, on: date) -> list[Progress]:
    """How far the quarter is in the actor's place; nothing for what has not begun. Inside `reading(by)`."""
    if by.post not in STAFF:
        return []
    period = queries.current_quarter(on)
    rosters = queries.list_quarter(by.prefix, period)
    bars = (_screened(), _noticed(rosters), _confirmed(rosters), _paid(by, period, rosters))
    return [bar for bar in bars if bar]


def _screened() -> Progress | None:
    run = find_latest_run()
    if run is None:
        return None
    done = run.state == Run.State.FINISHED
    return Progress("甄别", int(done), 1, run.get_state_display())


def _noticed(rosters: list[Roster]) -> Progress | None:
    published = [roster for roster in rosters if roster.published_on]
    done = sum(roster.signed_on is not None for roster in published)
    return Progress("公示期满、乡镇签批", done, len(rosters), f"{done} / {len(rosters)} 份") if published else None


def _confirmed(rosters: list[Roster]) -> Progress | None:
    done = sum(roster.finance_on is not None for roster in rosters)
    return Progress("清册核定", done, len(rosters), f"{done} / {len(rosters)} 份") if rosters else None


def _paid(by: Actor, period: Period, rosters: list[Roster]) -> Progress | None:
    """Lines that arrived; counted when something was sent, and then at most twice a minute for a place."""
    whole = sum(roster.sums.lines for roster in rosters)
    done = 0
    if any(roster.state in (Roster.State.SENT, Roster.State.SETTLED) for roster in rosters):
        key = f"paid:{connection.settings_dict['NAME']}:{by.prefix}:{period.start}"
        states = cache.get_or_set(key, lambda: queries.paid_so_far(by.prefix, period), SECONDS_KEPT)
        whole = sum(total.count for state, total in states.items() if state not in RosterLine.OUT)
        done = states["paid"].count if "paid" in states else 0
    return Progress("银行已付", done, whole, f"{done:,} / {whole:,} 笔") if whole else None

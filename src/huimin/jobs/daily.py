"""Work that is due once a business day without anybody asking: the process that takes up jobs asks for it (CASE-05).

in    kinds that rooms named with `daily` (jobs.kinds), the business date
out   one queued job a kind, county and day, in the name of whoever first held the post there

Always true: a day's work of a kind and county is asked for once, by however many processes and however often; a county
where nobody holds the post is passed over. A day on which no process ran is not made up for: what is late is late the
next day too.
"""

from datetime import date

from huimin.database.bulk import fetch_one
from huimin.jobs.commands import Overlaps, enqueue
from huimin.jobs.kinds import DAILY
from huimin.jobs.models import Job
from huimin.jobs.working import everywhere
from huimin.kernel.places import Level
from huimin.organisation.acting import reading
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import business_date, get_actor, live_on

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_database() || ' daily work', 0))"


def ask_for_daily_work() -> int:
    """Queue what nobody has asked for today; how many jobs."""
    with everywhere():
        on = business_date()
        holders = {post: _holders(post, on) for post in set(DAILY.values())}
    return sum(_ask(kind, holder, on) for kind, post in DAILY.items() for holder in holders[post])


def _holders(post: Post, on: date) -> list[Appointment]:
    """Who first held the post at each county."""
    rows = Appointment.objects.filter(live_on(on), post=post, office__level=Level.COUNTY)
    return list(rows.select_related("office", "account").order_by("division", "id").distinct("division"))


def _ask(kind: str, holder: Appointment, on: date) -> bool:
    by = get_actor(holder)
    with reading(by):
        fetch_one(_LOCK)
        if Job.objects.filter(kind=kind, division=by.division, business_date=on).exists():
            return False
        try:
            return enqueue(by=by, on=on, kind=kind, division=by.division, arguments={}).business_date == on
        except Overlaps:  # somebody pressed the button a moment ago; asked again at the next look
            return False

"""Screening a place against what is granted there: the job, and the same from the command line (DET-01, DET-06).

in    a place and a determination date; the entitlements of this room
out   a job that any process takes up (`./huimin work`), or the finished run when the caller does it himself
"""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import Watch, work_until_done
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.organisation.acting import Actor, reading
from huimin.policy.commands import keep_list_current
from huimin.policy.queries import adopted_book
from huimin.registry.transfer import copy_out
from huimin.screening.commands import KIND, carry_out, end_run, request_screening
from huimin.screening.models import Run
from huimin.screening.snapshots import GRANTED

# What a case granted rests on no run (0). A household or person holds a programme once on a day: the exclusion constraint of the table.
_GRANTED = """
SELECT e.programme, e.household_id, coalesce(e.person_id, 0), e.amount_fen + {back}, coalesce(e.original_fen, e.amount_fen) + {back},
       coalesce(e.since, e.valid_from), e.phase_out_since, coalesce(p.run_id, 0), coalesce(r.division, h.division)
FROM casework_entitlement e
JOIN registry_household h ON h.id = e.household_id
LEFT JOIN registry_person r ON r.id = e.person_id
JOIN casework_decision d ON d.id = e.decision_id
LEFT JOIN screening_proposal p ON p.id = d.proposal_id{joins}
WHERE e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
"""


_HELD_BACK: list[str] = []


def held_back(table: str) -> None:
    """A room downstream names a table (columns entitlement_id, cut_fen, state) of what was taken off an amount by a decision
    that no determination makes; while its state is 'confirmed' a screening compares with the amount before it."""
    assert table.replace("_", "").isalnum()
    if table not in _HELD_BACK:
        _HELD_BACK.append(table)


def _granted() -> str:
    """The statement with what is held back added."""
    joins = "".join(
        f" LEFT JOIN (SELECT entitlement_id, sum(cut_fen)::bigint AS fen FROM {table} WHERE state = 'confirmed'"  # noqa: S608
        f" AND entitlement_id IS NOT NULL GROUP BY 1) b{number} ON b{number}.entitlement_id = e.id"
        for number, table in enumerate(_HELD_BACK)
    )
    back = " + ".join(["0", *(f"coalesce(b{number}.fen, 0)" for number in range(len(_HELD_BACK)))])
    return _GRANTED.format(back=f"({back})", joins=joins)


class ScreeningFailed(Refusal):
    """Another process did the screening and it did not come to its end."""


def granted_on(on: date) -> pa.Table:
    """What stands on a determination date, as `Snapshot.granted`; inside a transaction, as far as its scope sees.

    That is what is held in the month after it: what was decided since and begins then counts, and is not proposed again.
    """
    return copy_out(f"{_granted()} ORDER BY e.programme, e.household_id, 3", {"on": month_after(on)}, GRANTED)


def granted_of(household_id: int, on: date) -> pa.Table:
    """As `granted_on`, of one household and its people."""
    return granted_of_many([household_id], on)


def granted_of_many(households: Sequence[int], on: date) -> pa.Table:
    """As `granted_on`, of some households and their people."""
    some = f"{_granted()} AND e.household_id = ANY (%(households)s) ORDER BY 1, 2, 3"
    return copy_out(some, {"on": month_after(on), "households": list(households)}, GRANTED)


def month_after(day: date) -> date:
    """The first day on which what is decided now can begin."""
    return add_months(month_start(day), 1)


def screen(*, by: Actor, on: date, division: str, determination_date: date, watch: Watch = lambda _: None) -> Run:
    """Ask for a screening and do it here; the finished run. One that was interrupted goes on where it was."""
    job = request_screening(by=by, on=on, division=division, determination_date=determination_date)
    ended = work_until_done(job.pk, by, watch)
    if ended.state != Job.State.FINISHED:
        raise ScreeningFailed(f"筛查{ended.get_state_display()}", why=ended.failure, remedy="请查明后重新筛查")
    with reading(by):
        return Run.objects.get(job=job)


def work(by: Actor, job: Job, report: Report) -> str:
    with reading(by):
        book = adopted_book()
    keep_list_current(by, job.business_date, book)
    run = carry_out(by, job, report, granted_on)
    return f"{run.households:,} 户 {run.people:,} 人，建议 {run.listed:,} 条，其中原有 {run.kept:,} 条"


handles(KIND, "筛查", work, end_run, "要取消，由县惠民办经办在筛查的页面取消")

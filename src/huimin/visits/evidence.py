"""入户调查 as a step's evidence: signed visits of the case's round by enough people, and no doubt left open (CASE-02, VER-02).

in    a case, the step it stands at, how many investigators it demands
out   the visits that fill the slot, or in words what is missing and what to do next; changes nothing
"""

from datetime import date

from django.db.models import Count

from huimin.cases.evidence import Held, Reference, holds
from huimin.cases.models import Case
from huimin.processes.language import Demand, Step
from huimin.visits.models import Visit
from huimin.visits.queries import unsettled_of
from huimin.visits.wanted import KIND


def look(case: Case, step: Step, demand: Demand, on: date) -> Held:
    if case.household_id is None:
        return Held(missing="名单没有入户调查", remedy="请逐户申请")
    rows = list(
        Visit.objects.filter(subject=case.subject, round=case.round)
        .exclude(state=Visit.State.VOID)
        .annotate(went=Count("investigators"))
        .order_by("visited_on", "id")
    )  # fmt: skip
    signed = [row for row in rows if row.counts]
    if not signed:
        return _none_signed(rows)
    enough = [row for row in signed if row.went >= demand.number]
    if not enough:
        return Held(missing=f"调查人不足 {demand.number} 名", remedy=f"请 {demand.number} 名以上调查人再次入户")
    if waiting := unsettled_of(case):
        return Held(missing=waiting, remedy="请在入户调查的页面上登记申请人的说明，查实的办理变更")
    return Held(tuple(Reference(f"visits_visit:{row.pk}", row.digest, row.visited_on) for row in enough))


def _none_signed(rows: list[Visit]) -> Held:
    if any(row.met != Visit.Met.NOBODY for row in rows):
        return Held(missing="入户调查表还没有双方签字", remedy="请上传签字的调查表，或在手机上签名")
    if rows:
        return Held(missing=f"去过 {len(rows)} 次，家中都没有人", remedy="请改日再去；住在外地的发委托调查函")
    return Held(missing="还没有入户调查的记录", remedy="请二人以上入户，登记调查表并双方签字")


holds(KIND, look)

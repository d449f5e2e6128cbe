"""What a case's page says of community review and collective decisions (CASE-01, CASE-03); inside `reading(by)`."""

from typing import Any

from huimin.cases.determining import Finding
from huimin.cases.models import Case
from huimin.meetings import queries
from huimin.meetings.collective import decide_collectively
from huimin.meetings.convening import convene
from huimin.meetings.steps import demanding, stands_for_review
from huimin.organisation.acting import Actor, may
from huimin.payment.papers.meetings import gather_collective
from huimin.workbench.guard import MEETING_READERS

UNDER_WAY = (Case.State.ASKED, Case.State.PAPERS, Case.State.OPEN)


def side_of(by: Actor, case: Case, finding: Finding | None, lacking: bool) -> dict[str, Any]:
    """For `workbench/part/case_meetings.html`. `lacking`: papers are missing; `finding`: what the law says today, if it can."""
    items, decisions = queries.list_items_of_case(case.pk), queries.list_collective(case.pk)
    waits = case.household_id is not None and stands_for_review(case, demanding())
    settled = any(item.round == case.round and item.state in ("waiting", "judged") for item in items)
    stuck = lacking or finding is None or finding.eligible is None
    return {
        "items": items, "decisions": decisions, "opens": by.post in MEETING_READERS,
        "convene": case.division[:12] if waits and not settled and may(by, convene) else "",
        "may_decide": stuck and case.household_id is not None and case.state in UNDER_WAY and may(by, decide_collectively),
        "may_print": may(by, gather_collective),
    }  # fmt: skip

"""What an appeal comes to, and what is then done: never an edit, always a decision of its own (issue 5 point 8, SEC-02).

in    an accepted appeal; the ruling in words, or for 复议 the authority's, with the number of its paper
out   upheld, partly, dismissed, signed; an upheld one is linked to the new case or decision that corrects it

    upheld / partly ──reopen──► determined anew (proposals), or a new application is taken ──correct──► the appeal names it

Always true: it is ruled by another than who decided; what corrects it was begun after the appeal, for the same household and
programme. What the household
should have had before is arrears, which room payment will owe (issue 6).
"""

from datetime import date

from django.db.models import Q

from huimin.appeals.filing import JUDGES, REGISTRARS, locked, require_judge
from huimin.appeals.models import Appeal
from huimin.cases.models import FAR, Case
from huimin.casework.models import Decision
from huimin.casework.screening import granted_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, command
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.screening.rescreening import rescreen

State = Appeal.State
RULINGS = {State.UPHELD: "成立", State.PARTLY: "部分成立", State.DISMISSED: "不成立"}
REOPENERS = (Post.CLERK, Post.DEPARTMENT_OFFICER, Post.COUNTY_OFFICER)


@command(*JUDGES)
def rule_appeal(*, by: Actor, on: date, appeal: int, outcome: str, ruling: str, document: str = "") -> Appeal:
    """Upheld, partly, or dismissed, with the reasons; of a 复议 what the authority decided, by the number of its paper."""
    row = locked(by, appeal, State.ACCEPTED)
    require_judge(by, on, row)
    if outcome not in RULINGS:
        raise BadInput("没有选成立、部分成立还是不成立", where="结果", remedy="请选择")
    if len(ruling.strip()) < 8:
        raise BadInput("没有写理由", where="理由", remedy="请写明核实了什么、依据哪一条、结论是什么")
    if row.kind == Appeal.Kind.REVIEW and len(document.strip()) < 4:
        raise BadInput("没有写复议决定书文号", where="文号", remedy="请照复议机关的决定书填写")
    content = {
        "appeal": row.pk, "against": row.against, "text": row.text, "outcome": outcome, "ruling": ruling.strip(),
        "document": document.strip(), "organ": row.organ,
    }  # fmt: skip
    row.signature = sign(
        by=by, on=on, act=f"{row.get_kind_display()}{RULINGS[State(outcome)]}", subject=row.subject,
        content_digest=digest(content), division=row.division,
    )  # fmt: skip
    row.state, row.ruling, row.document = outcome, ruling.strip()[:2000], document.strip()[:80]
    row.ruled_by, row.ruled_account, row.ruled_on, row.due_on = by.appointment, by.account, on, FAR
    row.ended_on = on if outcome == State.DISMISSED else None
    row.save(
        update_fields=[
            "state", "ruling", "document", "signature", "ruled_by", "ruled_account", "ruled_on", "due_on", "ended_on",
        ]
    )  # fmt: skip
    return row


@command(*REOPENERS)
def reopen_decision(*, by: Actor, on: date, appeal: int) -> int:
    """Determine the household anew, so that what the ruling asks for can be proposed and decided; the number of runs."""
    row = locked(by, appeal, State.UPHELD, State.PARTLY)
    require_not_related(by, on, [row.household_id])
    return len(rescreen(by, on, [row.household_id], granted_of))


@command(*REOPENERS)
def correct_appeal(
    *, by: Actor, on: date, appeal: int, case_id: int | None = None, decision: int | None = None
) -> Appeal:  # fmt: skip
    """Name the case or the decision that corrects it."""
    row = locked(by, appeal, State.UPHELD, State.PARTLY)
    require_not_related(by, on, [row.household_id])
    if (case_id is None) == (decision is None):
        raise BadInput("没有选新的决定", where="纠正", remedy="请从列表选择新的申请或决定")
    cases, decisions = corrections_of(row)
    row.new_case = next((each for each in cases if each.pk == case_id), None)
    row.new_decision = next((each for each in decisions if each.pk == decision), None)
    if row.new_case is None and row.new_decision is None:
        raise BadInput(
            "不能用它纠正", where="纠正", why="须是这一户这个项目在申诉成立以后的申请或决定", remedy="请从列表选择"
        )
    row.state, row.corrected_by, row.corrected_on, row.ended_on = State.CORRECTED, by.appointment, on, on
    row.save(update_fields=["state", "new_case", "new_decision", "corrected_by", "corrected_on", "ended_on"])
    return row


def corrections_of(row: Appeal) -> tuple[list[Case], list[Decision]]:
    """What could correct it: applications and decisions of the household and programme since the ruling."""
    if row.ruled_on is None:
        return [], []
    same = Q(household=row.household_id, programme=row.programme)
    cases = Case.objects.filter(same, asked_on__gte=row.ruled_on).exclude(pk=row.case_id or 0)
    decisions = Decision.objects.filter(same, decided_on__gte=row.ruled_on, case_number=None).exclude(
        pk=row.decision_id or 0
    )
    return list(cases.order_by("-id")[:20]), list(decisions.select_related("proposal").order_by("-id")[:20])


@command(*REGISTRARS)
def tell_ruling(*, by: Actor, on: date, appeal: int) -> Appeal:
    """He was told in writing what became of it (答复书)."""
    row = locked(by, appeal, State.UPHELD, State.PARTLY, State.DISMISSED, State.CORRECTED, State.REFUSED)
    if row.told_result_on is not None:
        raise AlreadyDone(f"已于 {row.told_result_on} 告知", remedy="请刷新后查看")
    row.told_result_on = on
    row.save(update_fields=["told_result_on"])
    return row

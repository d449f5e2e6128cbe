"""Who answers for a case, and telling the applicant what came of it (SVC-01, SVC-02).

in    a case, to whom it is handed and why; that the result was told
out   a recorded hand-over or stand-in; the day the result was told

Always true: nobody loses a case without a reason; it is handed to the same post at the same office; who stands in acts as
himself, and what he did is signed by him. 皖政办〔2008〕23号 附件5 第15–17条; 日政办发〔2018〕95号 四(四) (AB 岗).
"""

from datetime import date

from django.db.models import QuerySet

from huimin.cases.asking import ASKERS
from huimin.cases.models import Case, CaseHandover
from huimin.cases.taking import locked
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, AlreadyDone, command
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import live_on

Kind = CaseHandover.Kind


class CannotTake(Refusal):
    """The case cannot be given to this appointment."""


class InWriting(Refusal):
    """It is told by a letter."""


@command(*ASKERS, Post.TOWNSHIP_HEAD)
def hand_over(*, by: Actor, on: date, case_id: int, to: int, reason: str, stand_in: bool = False) -> CaseHandover:
    """Another answers for the case from now on, or may stand in for who does. By who answers for it, or the head."""
    case = locked(by, case_id)
    if case.step == "":
        raise AlreadyDone(f"这件事{case.get_state_display()}", remedy="请刷新后查看")
    if by.post != Post.TOWNSHIP_HEAD and by.appointment != case.responsible:
        raise CannotTake("只有承办人或乡镇负责人可以移交", remedy="请由承办人办理")
    if len(reason.strip()) < 4:
        raise BadInput("没有写移交的理由", where="理由", remedy="非特殊情况中途不得转交，请写明理由")
    taker = candidates(case, on).filter(pk=to).select_related("account", "office").first()
    if taker is None:
        raise CannotTake("不能交给这个人", why="须是同一机构同一岗位的另一人", remedy="请从列表选择")
    made = CaseHandover.objects.create(
        case=case, division=case.division, kind=Kind.STAND_IN if stand_in else Kind.HANDED, given_by=case.responsible,
        given_to=taker.pk, taker=f"{taker} {taker.account.full_name}"[:160], reason=reason.strip()[:300], handed_on=on,
        recorded_by=by.appointment,
    )  # fmt: skip
    if stand_in:
        case.stand_in = taker.pk
    else:
        case.responsible, case.stand_in = taker.pk, None
    case.save(update_fields=["responsible", "stand_in"])
    return made


def candidates(case: Case, on: date) -> QuerySet[Appointment]:
    """Whom the case may be given to: the same post at the same office."""
    now = Appointment.objects.filter(pk=case.responsible).values("office", "post")
    rows = Appointment.objects.filter(live_on(on), office__in=now.values("office"), post__in=now.values("post"))
    return rows.exclude(pk=case.responsible).select_related("account", "office").order_by("id")


@command(*ASKERS)
def tell_result(*, by: Actor, on: date, case_id: int) -> Case:
    """The applicant was told in person that it was granted. A refusal is told by its letter: once delivered, it is told
    (telling.letters sets the day), and by nothing else."""
    case = locked(by, case_id)
    if case.decided_on is None or case.answered_on is not None:
        raise AlreadyDone("还没有决定，或已经告知", remedy="请刷新后查看")
    if case.state == Case.State.REFUSED:
        raise InWriting("不予批准须书面告知", why="送达告知书即为告知", remedy="请打印不予批准告知书，送达后登记")
    case.answered_on = on
    case.save(update_fields=["answered_on"])
    return case

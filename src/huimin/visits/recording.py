"""Recording a home visit, its papers and signatures; voiding a mistake (CASE-02, REG-10, SEC-02).

in    a household and what asked for the visit (an application, a re-check, a sample, a campaign), the day, who went, whom
      they met, what they found; photos, the signed form or signatures drawn on the telephone
out   a Visit with its investigators, papers and doubts; once signed it is evidence and changes no more

Always true (here in words, in migration 0002 for whoever writes): the day is not before the matter was asked and not in the
future; two or more different people went, each under an appointment of that day whose place holds the household, none of
whom declared a relative there, and for an application none whose post must judge it as another person; a visit is signed
by one of those who went, when both sides' signatures are there, or the household's refusal was witnessed; nobody at home
is an attempt and never counts. The same sending (`client_id`) is the same visit. 伊民规〔2022〕2号 二(一)3; 日政办发〔2018〕95号 五.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from huimin.cases.models import Case, CaseAct, CaseEvidence
from huimin.cases.taking import locked
from huimin.database.bulk import fetch_one
from huimin.database.personal import PAYLOAD, sealed
from huimin.kernel.digests import canonical, digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level, scope_prefix
from huimin.kinship.recusal import Recused, require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import live_on
from huimin.organisation.signing import sign
from huimin.processes.queries import way_of
from huimin.registry.commands.attachments import keep_attachment
from huimin.registry.commands.facts import locked_household
from huimin.registry.models import Household
from huimin.visits.doubts import raise_doubts
from huimin.visits.findings import Found, Position, checked, written
from huimin.visits.models import Investigator, Visit, VisitPaper

VISITORS = (
    Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER,
    Post.DEPARTMENT_APPROVER, Post.FINANCE_OFFICER, Post.SUPERVISOR, Post.COUNTY_OFFICER,
)  # fmt: skip
"""Posts that go to households; for an application not those that judge it later."""
INVESTIGATORS_MIN, INVESTIGATORS_MAX, PHOTOS_MAX = 2, 6, 20
SUBJECTS = {
    Visit.Purpose.APPLICATION: "case", Visit.Purpose.RECHECK: "recheck", Visit.Purpose.RECTIFICATION: "rectification",
    Visit.Purpose.SAMPLE: "sample",
}  # fmt: skip
"""What a subject begins with, by purpose."""
_SIGNATURES = (VisitPaper.Kind.HOUSEHOLD, VisitPaper.Kind.INVESTIGATOR)
Kind, Met, Purpose, State = VisitPaper.Kind, Visit.Met, Visit.Purpose, Visit.State

for _name, _what, _remedy in (
    ("home_visit_once_a_day", "这一天的入户调查已经登记过", "请在已登记的调查上补充或签字"),
    ("home_visit_signature_once", "这个人已经签过名", "请刷新后查看"),
    ("home_visit_household_signature_once", "被调查人已经签过名", "请刷新后查看"),
    ("home_visit_written_once", "这份调查已经签字或作废，不能再改", "请刷新后查看"),
):
    refused_by_constraint(_name, AlreadyDone, _what, _remedy)


class NotAnInvestigator(Refusal):
    """Somebody who may not go there, or did not."""


class NotSigned(Refusal):
    """Not both sides have signed."""


class RestsOn(Refusal):
    """A passed step rests on this visit."""


@command(*VISITORS)
def record_visit(
    *, by: Actor, on: date, household: int, purpose: str, subject: str, visited_on: date, investigators: Sequence[int],
    met: str, found: Found, case_id: int | None = None, met_name: str = "", client_id: UUID | None = None,
    round: int = 1,
) -> Visit:  # fmt: skip
    """Write down who went where and what they found. For a case the round is the case's; others say their own.

    BadInput, NotAnInvestigator, Recused name who or what stands against it; the same `client_id` again is the same visit.
    """
    home = locked_household(by, household)
    if client_id is not None and (sent := Visit.objects.filter(client_id=client_id).first()):
        return _same(by, sent, home)
    case = locked(by, case_id) if case_id is not None else None
    round = case.round if case else round
    require_matter(home, purpose, subject, case)
    if met not in Met.values:
        raise BadInput("没有选见到了谁", where="见到", remedy="请选申请人本人、家庭成员或家中无人")
    require_day(on, visited_on, case)
    require_not_related(by, on, [home.pk])
    went = investigators_of(home.division, home.pk, investigators, visited_on)
    if case and purpose == Purpose.APPLICATION:
        _require_no_judge(case, went)
    told = checked(found, met=met != Met.NOBODY, application=purpose == Purpose.APPLICATION)
    enc, hashed = sealed(written(told), PAYLOAD)
    visit = Visit.objects.create(
        division=home.division, household=home, case=case, subject=subject, purpose=purpose, round=round,
        visited_on=visited_on, met=met, met_name=met_name.strip()[:60], payload_enc=enc, payload_hash=hashed,
        client_id=client_id, recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip
    Investigator.objects.bulk_create(
        Investigator(
            visit=visit, division=visit.division, appointment=each.pk, account=each.account_id,
            title=f"{each} {each.account.full_name}"[:160],
        )
        for each in went
    )  # fmt: skip
    if met != Met.NOBODY:
        raise_doubts(on, visit, told.differs)
    return visit


def _same(by: Actor, sent: Visit, home: Household) -> Visit:
    """A form sent a second time, by whom and for whom it was sent first."""
    if sent.household_id != home.pk or not Appointment.objects.filter(pk=sent.recorded_by, account=by.account).exists():
        raise AlreadyDone("这份表已由别人登记", remedy="请重新打开表格填写")
    return sent


def require_matter(home: Household, purpose: str, subject: str, case: Case | None) -> None:
    if purpose not in Purpose.values or not subject.startswith(SUBJECTS[Purpose(purpose)] + ":") or len(subject) > 80:
        raise BadInput("没有写清为什么调查", where="事由", remedy="请从申请、复核、专项整治或抽查的页面进入")
    if purpose == Purpose.APPLICATION and (case is None or subject != case.subject):
        raise BadInput("没有对应的申请", where="事由", remedy="请从申请的页面进入")
    if case and case.household_id != home.pk:
        raise BadInput("不是这一户的申请", where="事由", remedy="请从申请的页面进入")
    if case and not case.step and purpose == Purpose.APPLICATION:
        raise AlreadyDone(f"这件事{case.get_state_display()}", why="已经办结的申请不再调查", remedy="请从复核办理")


def require_day(on: date, visited_on: date, case: Case | None) -> None:
    if visited_on > on:
        raise BadInput(f"{visited_on} 还没有到", where="调查日期", remedy="请核对日期")
    first = earliest_day(case) if case else None
    if first and visited_on < first:
        why = "早于申请" if first == case.asked_on else "早于退回重新调查"  # type: ignore[union-attr]
        raise BadInput(f"调查日期 {visited_on} 不成立", where="调查日期", why=f"{why}（{first}）", remedy="请核对日期")


def earliest_day(case: Case) -> date:
    """From when a visit counts for the round the case is in: asked, or sent back."""
    back = CaseAct.objects.filter(case=case, outcome=CaseAct.Outcome.RETURNED).order_by("-id").first()
    return back.acted_on if back else case.asked_on


def investigators_of(division: str, household: int, numbers: Sequence[int], day: date) -> list[Appointment]:
    """Those who went to a household in `division`, as they were appointed that day; refused by name."""
    wanted = set(numbers)
    if not INVESTIGATORS_MIN <= len(numbers) <= INVESTIGATORS_MAX:
        raise BadInput(f"调查人 {len(numbers)} 名", where="调查人", why="须二人以上入户", remedy="请选两名至六名调查人")
    rows = {
        row.pk: row
        for row in candidates(division, day).filter(pk__in=wanted).select_related("account", "office")
    }  # fmt: skip
    if strange := [number for number in numbers if number not in rows]:
        raise NotAnInvestigator(
            f"有 {len(strange)} 名调查人不能去这一户", why=f"{day} 当天不在职，或不在当地任职", remedy="请从列表选择"
        )
    if len({row.account_id for row in rows.values()}) != len(numbers):
        raise NotAnInvestigator("同一个人算了两次", why="须二人以上入户", remedy="请选不同的人")
    for row in rows.values():
        if related(row.account_id, household, day):
            raise Recused(f"{row.account.full_name}须回避", why="调查人与这一户有近亲属关系", remedy="请换一名调查人")
    return [rows[number] for number in numbers]


def candidates(division: str, day: date) -> "QuerySet[Appointment]":
    """Who could go to a household of `division` on the day: in office, at an office whose place holds it."""
    places = Q()
    for level in (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE):
        places |= Q(office__level=int(level), office__division__startswith=scope_prefix(division, level))
    return Appointment.objects.filter(live_on(day), places, post__in=VISITORS, account__active=True)


def related(account: int, household: int, day: date) -> bool:
    """Whether this person declared a relative who lives there: yes or no, whatever file the asker may read."""
    return bool(fetch_one("SELECT visits_related(%s, %s, %s)", [account, household, day])[0])


def judges_of(case: Case) -> dict[str, str]:
    """Posts that must judge as another person what a visit found, each with its step: they do not make the visit."""
    steps = way_of(case.process).steps
    visited = {step.key for step in steps if any(demand.kind == "入户调查" for demand in step.demands)}
    return {post: step.name for step in steps if visited & set(step.another) for post in step.posts}


def _require_no_judge(case: Case, went: Sequence[Appointment]) -> None:
    judges = judges_of(case)
    for each in went:
        if each.post in judges:
            raise NotAnInvestigator(
                f"{each.get_post_display()}{each.account.full_name}不能当调查人",
                why=f"“{judges[each.post]}”须由没有参加调查的人办理", remedy="请换一名调查人",
            )  # fmt: skip


@command(*VISITORS)
def add_paper(
    *, by: Actor, on: date, visit_id: int, kind: str, content: bytes, file_name: str = "", title: str = "",
    signer: int | None = None, taken_at: datetime | None = None, position: Position | None = None,
) -> VisitPaper:  # fmt: skip
    """A photo (when it was taken, where the telephone was), the signed form, a drawn signature. The same again is the same."""
    visit = locked_visit(by, visit_id)
    if kind not in Kind.values:
        raise BadInput("没有选材料种类", where="材料", remedy="请从列表选择")
    if kind == Kind.INVESTIGATOR and not visit.investigators.filter(appointment=signer).exists():
        raise NotAnInvestigator("签名的人不是这次的调查人", remedy="请从调查人中选择")
    home = locked_household(by, visit.household_id)
    label = (title.strip() or f"入户调查 {visit.visited_on} {Kind(kind).label}{_of(visit, kind, signer)}")[:80]
    kept = keep_attachment(by, on, home, title=label, file_name=file_name, content=content)
    if kind in (Kind.HOUSEHOLD, Kind.INVESTIGATOR) and kept.media_type == "application/pdf":
        raise BadInput("签名是一张图", where="签名", remedy="请在屏幕上签名，或上传签字的调查表")
    if same := visit.papers.filter(
        sha256=kept.sha256, kind=kind, signer=signer if kind == Kind.INVESTIGATOR else None
    ).first():
        return same
    if kind in _SIGNATURES and visit.papers.filter(sha256=kept.sha256, kind__in=_SIGNATURES).exists():
        raise BadInput("两个人的签名是同一张图", where="签名", remedy="请各自签名")
    _require_open(visit)
    if visit.papers.count() >= PHOTOS_MAX:
        raise BadInput(f"超过 {PHOTOS_MAX} 份", where="照片", remedy="请挑选能说明情况的照片")
    spot = sealed(_told(position), PAYLOAD) if position else (None, None)
    return VisitPaper.objects.create(
        visit=visit, division=visit.division, kind=kind, attachment=kept, sha256=kept.sha256,
        signer=signer if kind == Kind.INVESTIGATOR else None, title=label, taken_at=taken_at, payload_enc=spot[0],
        payload_hash=spot[1], added_by=by.appointment, added_on=on,
    )  # fmt: skip


def _of(visit: Visit, kind: str, signer: int | None) -> str:
    """Whose signature, for its title."""
    if kind == Kind.HOUSEHOLD:
        return f"：{visit.met_name}" if visit.met_name else ""
    found = visit.investigators.filter(appointment=signer).first() if kind == Kind.INVESTIGATOR else None
    return f"：{found.name}" if found else ""


def _told(position: Position) -> str:
    spot = checked(Found({"other": "位置"}, position=position), met=False, application=False).position
    assert spot is not None
    return canonical([spot.latitude, spot.longitude, spot.accuracy_m]).decode()


@command(*VISITORS)
def sign_visit(*, by: Actor, on: date, visit_id: int, refused: str = "", witness: str = "") -> Visit:
    """Both sides have signed, on the form or on the telephone; or the household would not, and `witness` saw it (`refused`: why).

    By one of those who went. The digest covers what was found, who went, every paper and every doubt.
    """
    visit = locked_visit(by, visit_id)
    if visit.state == State.SIGNED:
        return visit
    _require_open(visit)
    if not visit.investigators.filter(account=by.account).exists():
        raise NotAnInvestigator("您不是这次的调查人", why="谁调查、谁签字、谁负责", remedy="请由调查人签字")
    if visit.met == Met.NOBODY:
        raise NotSigned("家中无人的不签字", why="没有见到被调查人", remedy="请改日再去，另行登记")
    refused, witness = refused.strip()[:200], witness.strip()[:60]
    _require_signatures(visit, refused, witness)
    visit.state, visit.signed_on, visit.refused, visit.witness = State.SIGNED, on, refused, witness
    return seal_visit(by, on, visit, "入户调查签字")


def seal_visit(by: Actor, on: date, visit: Visit, act: str) -> Visit:
    """The last step of signing: digest and signature over everything; it changes no more."""
    visit.digest = digest(content_of(visit))
    subject = f"visit:{visit.pk}"
    visit.signature = sign(by=by, on=on, act=act, subject=subject, content_digest=visit.digest, division=visit.division)
    visit.save(update_fields=["state", "signed_on", "refused", "witness", "digest", "signature"])
    return visit


def _require_signatures(visit: Visit, refused: str, witness: str) -> None:
    papers = list(visit.papers.values_list("kind", "signer"))
    kinds = {kind for kind, _ in papers}
    lacking = [
        each.title for each in visit.investigators.order_by("id") if (Kind.INVESTIGATOR, each.appointment) not in papers
    ]  # fmt: skip
    if Kind.FORM not in kinds and lacking:
        raise NotSigned(f"{'、'.join(lacking)}没有签名", remedy="请上传签字的调查表，或在屏幕上签名")
    if refused:
        if len(refused) < 4 or len(witness) < 2:
            raise BadInput("没有写拒签的原因或见证人", where="拒签", remedy="请写明原因，和在场见证人的姓名、身份")
        if any(witness.startswith(each.title.split()[-1]) for each in visit.investigators.all()):
            raise BadInput("见证人不能是调查人", where="见证人", remedy="请写村干部或邻居")
    elif not kinds & {Kind.FORM, Kind.HOUSEHOLD}:
        raise NotSigned("被调查人没有签名", remedy="请上传签字的调查表，或请他在屏幕上签名；拒绝签字的写明见证人")


def content_of(visit: Visit) -> dict[str, object]:
    """What a signature stands for."""
    return {
        "household": visit.household_id, "subject": visit.subject, "purpose": visit.purpose, "round": visit.round,
        "visited_on": visit.visited_on, "met": visit.met, "met_name": visit.met_name, "found": bytes(visit.payload_hash),
        "investigators": sorted([title, number or 0] for title, number in visit.investigators.values_list("title", "appointment")),
        "papers": sorted([kind, sha256] for kind, sha256 in visit.papers.values_list("kind", "sha256")),
        "doubts": sorted(
            [fact, person or 0, canonical([registered, found]).decode(), what]
            for fact, person, registered, found, what in visit.doubts.values_list(
                "fact", "person", "registered", "found", "what"
            )
        ),
        "refused": visit.refused, "witness": visit.witness,
    }  # fmt: skip


@command(*VISITORS)
def void_visit(*, by: Actor, on: date, visit_id: int, reason: str) -> Visit:
    """A mistake is struck out with its reason, by who recorded it or went; not once a passed step rests on it."""
    visit = locked_visit(by, visit_id)
    if visit.state == State.VOID:
        return visit
    if by.appointment != visit.recorded_by and not visit.investigators.filter(account=by.account).exists():
        raise NotAnInvestigator("只有登记人和调查人可以作废", remedy="请由他们办理")
    if len(reason.strip()) < 4:
        raise BadInput("没有写作废的原因", where="原因", remedy="请写明错在哪里，至少四个字")
    if CaseEvidence.objects.filter(case=visit.case_id, reference=f"visits_visit:{visit.pk}").exists():
        raise RestsOn("已经办完的步骤以这次调查为据", remedy="请由后面的步骤退回重新调查")
    visit.state, visit.voided_by, visit.voided_on = State.VOID, by.appointment, on
    visit.void_reason = reason.strip()[:200]
    visit.save(update_fields=["state", "voided_by", "voided_on", "void_reason"])
    return visit


def locked_visit(by: Actor, visit_id: int) -> Visit:
    """The visit for the rest of the transaction."""
    visit = Visit.objects.select_for_update(of=("self",)).filter(pk=visit_id).first()
    if visit is None:
        raise BadInput("没有这次调查", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, visit.division)
    return visit


def _require_open(visit: Visit) -> None:
    if visit.state != State.RECORDED:
        raise AlreadyDone(f"这次调查{visit.get_state_display()}，不能再改", remedy="请刷新后查看")

"""委托调查: people of ours who live elsewhere are visited by the place they live in (人户分离; CASE-02, SEC-03).

in    a letter with what is asked and by when; the answer of who went there, with the signed form
out   an Entrustment, on the desk of the village where they live when that is in the county; the Visit its answer becomes

    issue ──► [desk there: reply, or return with why] ──► take: our Visit, signed by who took it over the paper
      └─────► [outside: printed letter] ──► enter what came back ──► the same

Always true (here in words, in migration 0004 for whoever writes): the place of residence sees the letter and nothing else of
the case (TableClass.ADDRESSED); who goes there fulfils what holds for every visit, at his own place; it answers once, while it is
waited for; what came back counts only when somebody took it, with the paper. 伊民规〔2022〕2号 二(一)3 (无正当理由不得拒绝).
"""

from collections.abc import Sequence
from datetime import date

from huimin.audit.models import Event
from huimin.cases.models import Case
from huimin.cases.taking import locked
from huimin.database.personal import ADDRESS, PAYLOAD, plain, sealed
from huimin.divisions.queries import get_division
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPlace,
    command,
    record_event,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.commands.attachments import keep_attachment, keep_scan, open_scan
from huimin.registry.commands.facts import locked_household
from huimin.registry.commands.looking import PURPOSE_MAX, PURPOSE_MIN
from huimin.registry.models import Household, Membership
from huimin.visits.findings import Found, checked, written
from huimin.visits.models import Entrustment, Investigator, Visit, VisitPaper
from huimin.visits.recording import (
    INVESTIGATORS_MAX,
    INVESTIGATORS_MIN,
    VISITORS,
    NotAnInvestigator,
    investigators_of,
    require_day,
    require_matter,
    seal_visit,
)

ISSUERS = (Post.CLERK, Post.DEPARTMENT_OFFICER, Post.COUNTY_OFFICER)
DAYS_MAX = 120
Met, Purpose, State = Visit.Met, Visit.Purpose, Entrustment.State
_REPLY = (
    "state", "visited_on", "met", "met_name", "went", "payload_enc", "payload_hash", "form_sha256", "reply_signature",
    "replied_by", "replied_on",
)  # fmt: skip

refused_by_constraint("entrustment_open_once", AlreadyDone, "已经发函委托，还没有收下回复", "请在委托调查的页面查看")
refused_by_constraint("entrustment_by_its_side", NotYourPlace, "这一步由另一方办理", "请由当地办理")
refused_by_constraint("entrustment_follows", AlreadyDone, "这封委托函已经走到下一步", "请刷新后查看")


class NotElsewhere(Refusal):
    """They live where we can go ourselves."""


@command(*ISSUERS)
def issue_entrustment(
    *, by: Actor, on: date, household: int, subject: str, purpose: str, asks: str, address: str, due_on: date,
    to_division: str = "", to_office: str = "", case_id: int | None = None, round: int = 1,
) -> Entrustment:  # fmt: skip
    """Ask a village of the county (`to_division`), or a civil affairs office outside (`to_office`), to visit by `due_on`."""
    home = locked_household(by, household)
    case = locked(by, case_id) if case_id is not None else None
    require_matter(home, purpose, subject, case)
    require_not_related(by, on, [home.pk])
    office = _addressee(on, home, to_division.strip(), to_office.strip())
    if len(address.strip()) < 4:
        raise BadInput("没有写住在哪里", where="居住地址", remedy="请写到门牌或居住的人家")
    if len(asks.strip()) < 4:
        raise BadInput("没有写调查什么", where="调查事项", remedy="如：居住、就业收入和邻里反映")
    if not 0 < (due_on - on).days <= DAYS_MAX:
        raise BadInput("回复期限不成立", where="回复期限", why=f"须在发函以后 {DAYS_MAX} 天内", remedy="请填写一个日期")
    enc, hashed = sealed(address.strip()[:200], ADDRESS)
    return Entrustment.objects.create(
        division=home.division, household=home, case=case, subject=subject, purpose=purpose,
        round=case.round if case else round, who=_who(home), to_division=to_division.strip(), to_office=office,
        address_enc=enc, address_hash=hashed, asks=asks.strip()[:500], issued_by=by.appointment, issuer=by.title[:160],
        issued_on=on, due_on=due_on,
    )  # fmt: skip


def _addressee(on: date, home: Household, to_division: str, to_office: str) -> str:
    if not to_division:
        if len(to_office) < 4:
            raise BadInput("没有写发给谁", where="收函单位", remedy="请选本县的村，或写外地民政部门全称")
        return to_office[:80]
    if to_division[:6] != home.division[:6] or get_division(to_division, on).level != Level.VILLAGE:
        raise BadInput("不是本县的村", where="居住地", remedy="请从列表选择；住在外县的写当地民政部门")
    if to_division[:9] == home.division[:9]:
        raise NotElsewhere("住在本乡镇", why="不需要委托", remedy="请直接入户调查")
    return get_division(to_division, on).name[:80]


def _who(home: Household) -> str:
    """As the letter names them: the head, and how many there are."""
    rows = Membership.objects.filter(household=home, recorded_to=None, valid_to=None).select_related("person")
    members = list(rows.order_by("id"))
    head = next((row.person.name for row in members if row.relation == "户主"), "")
    return f"{head or home.household_no} 一户 {len(members)} 人"[:120]


@command(*ISSUERS)
def withdraw_entrustment(*, by: Actor, on: date, entrustment_id: int) -> Entrustment:
    """Nobody waits for it any more; the desk there is told."""
    row = _waiting(_locked(by, entrustment_id))
    row.state, row.withdrawn_by, row.withdrawn_on = State.WITHDRAWN, by.appointment, on
    row.save(update_fields=["state", "withdrawn_by", "withdrawn_on"])
    return row


# At the place of residence.


@command(*VISITORS)
def reply_entrustment(
    *, by: Actor, on: date, entrustment_id: int, visited_on: date, met: str, investigators: Sequence[int], found: Found,
    form: bytes, met_name: str = "",
) -> Entrustment:  # fmt: skip
    """What was found there, with the signed form; signed by one of those who went."""
    row = _locked_there(by, entrustment_id)
    went = investigators_of(row.to_division, row.household_id, investigators, visited_on)
    if by.appointment not in {each.pk for each in went}:
        raise NotAnInvestigator("您不是这次的调查人", why="谁调查、谁签字、谁负责", remedy="请由调查人回复")
    row.went = [[each.pk, each.account_id, f"{each} {each.account.full_name}"[:160]] for each in went]
    _answered(by, on, row, visited_on, met, met_name, found, form)
    row.replied_by = by.title[:160]
    row.save(update_fields=_REPLY)
    return row


def _answered(
    by: Actor, on: date, row: Entrustment, visited_on: date, met: str, met_name: str, found: Found, form: bytes
) -> None:
    """The answer in the row, signed over everything it says."""
    if not row.issued_on <= visited_on <= on:
        raise BadInput(f"调查日期 {visited_on} 不成立", where="调查日期", why="早于发函或还没有到", remedy="请核对日期")
    if met not in (Met.APPLICANT, Met.FAMILY):
        raise BadInput("没有见到人的不能回复", where="见到", remedy="请改日再去；确实找不到的退回，写明经过")
    told = written(checked(found, met=True, application=row.purpose == Purpose.APPLICATION))
    row.visited_on, row.met, row.met_name = visited_on, met, met_name.strip()[:60]
    row.payload_enc, row.payload_hash = sealed(told, PAYLOAD)
    row.form_sha256, _ = keep_scan(form)
    row.replied_on, row.state = on, State.ANSWERED
    content = {
        "entrustment": row.pk, "visited_on": visited_on, "met": met, "met_name": row.met_name, "went": row.went,
        "found": bytes(row.payload_hash), "form": row.form_sha256,
    }  # fmt: skip
    row.reply_signature = sign(
        by=by, on=on, act="委托调查回复", subject=f"entrustment:{row.pk}", content_digest=digest(content)
    )


@command(*VISITORS)
def return_entrustment(*, by: Actor, on: date, entrustment_id: int, why: str) -> Entrustment:
    """They could not be visited: nobody of that name, moved on; the asking side reads why."""
    return _returned(on, _locked_there(by, entrustment_id), by.title[:160], why)


def _returned(on: date, row: Entrustment, whom: str, why: str) -> Entrustment:
    if len(why.strip()) < 8:
        raise BadInput(
            "没有写为什么不能调查", where="原因", why="无正当理由不得拒绝", remedy="请写明去过几次、问过谁、结果怎样"
        )
    row.why_not, row.replied_by, row.replied_on, row.state = why.strip()[:300], whom, on, State.RETURNED
    row.save(update_fields=["state", "why_not", "replied_by", "replied_on"])
    return row


def _locked_there(by: Actor, entrustment_id: int) -> Entrustment:
    """A letter to the place of `by`."""
    row = _found(entrustment_id)
    if not row.to_division.startswith(by.prefix):
        raise NotYourPlace("这封委托函不是发给您这里的", remedy="请由居住地办理")
    return _waiting(row)


@command(*VISITORS)
def look_at_residence(*, by: Actor, on: date, entrustment_id: int, purpose: str) -> str:
    """Where they live, in plain, for a purpose that is recorded; for either side."""
    purpose = purpose.strip()
    if not PURPOSE_MIN <= len(purpose) <= PURPOSE_MAX:
        raise BadInput("没有写明用途", where="用途", remedy=f"请用 {PURPOSE_MIN} 至 {PURPOSE_MAX} 个字写明为什么要看")
    row = _found(entrustment_id)
    record_event(by, Event.Kind.LOOKED, f"entrustment:{row.pk}", {"purpose": purpose, "on": on.isoformat()})
    return plain(row.address_enc, ADDRESS)


# Back where it was asked.


@command(*ISSUERS)
def enter_reply(
    *, by: Actor, on: date, entrustment_id: int, visited_on: date, met: str, investigators: Sequence[str], found: Found,
    form: bytes, met_name: str = "",
) -> Visit:  # fmt: skip
    """What a place outside answered on paper: entered with it, and taken. `investigators`: office and name of each."""
    row = _locked_outside(by, entrustment_id)
    names = [name.strip()[:80] for name in investigators if name.strip()]
    if not INVESTIGATORS_MIN <= len(set(names)) == len(names) <= INVESTIGATORS_MAX:
        raise BadInput("调查人不足二人，或写重了", where="调查人", remedy="请照调查表写每个人的单位和姓名，一行一人")
    row.went = [[None, None, each] for each in names]
    _answered(by, on, row, visited_on, met, met_name, found, form)
    row.replied_by = row.to_office
    row.save(update_fields=_REPLY)
    return _take(by, on, row)


@command(*ISSUERS)
def enter_return(*, by: Actor, on: date, entrustment_id: int, why: str) -> Entrustment:
    """A place outside could not visit them, and says why."""
    row = _locked_outside(by, entrustment_id)
    return _returned(on, row, row.to_office, why)


def _locked_outside(by: Actor, entrustment_id: int) -> Entrustment:
    row = _locked(by, entrustment_id)
    if row.to_division:
        raise NotYourPlace("本县的由居住地在系统里回复", remedy="请等回复；过了期限的可以催办或撤回")
    return _waiting(row)


@command(*ISSUERS)
def take_reply(*, by: Actor, on: date, entrustment_id: int) -> Visit:
    """What a village of the county answered becomes a visit of ours; the same again is the same visit."""
    row = _locked(by, entrustment_id)
    if row.state == State.TAKEN:
        return Visit.objects.get(entrustment=row)
    if row.state != State.ANSWERED:
        raise AlreadyDone(f"这封委托函{row.get_state_display()}", remedy="请等回复，或刷新后查看")
    return _take(by, on, row)


def _take(by: Actor, on: date, row: Entrustment) -> Visit:
    home = locked_household(by, row.household_id)
    require_not_related(by, on, [home.pk])
    case: Case | None = locked(by, row.case_id) if row.case_id else None
    require_matter(home, row.purpose, row.subject, case)
    assert row.visited_on is not None
    require_day(on, row.visited_on, case)
    visit = Visit.objects.create(
        division=row.division, household=home, case=case, subject=row.subject, purpose=row.purpose,
        round=case.round if case else row.round, visited_on=row.visited_on, met=row.met, met_name=row.met_name,
        payload_enc=row.payload_enc, payload_hash=row.payload_hash, entrustment=row, recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip
    Investigator.objects.bulk_create(
        Investigator(visit=visit, division=visit.division, appointment=appointment, account=account, title=title)
        for appointment, account, title in row.went
    )
    content = open_scan(row.form_sha256)
    kept = keep_attachment(
        by, on, home, title=f"委托调查表（{row.to_office}）"[:80], file_name=f"委托{row.number}", content=content
    )
    VisitPaper.objects.create(
        visit=visit, division=visit.division, kind=VisitPaper.Kind.FORM, attachment=kept, sha256=kept.sha256,
        title=kept.title, added_by=by.appointment, added_on=on,
    )  # fmt: skip
    visit.state, visit.signed_on = Visit.State.SIGNED, on
    seal_visit(by, on, visit, "收下委托调查")
    row.state, row.taken_by, row.taken_on = State.TAKEN, by.appointment, on
    row.save(update_fields=["state", "taken_by", "taken_on"])
    return visit


def _locked(by: Actor, entrustment_id: int) -> Entrustment:
    """A letter of the place of `by`."""
    row = _found(entrustment_id)
    require_place(by, row.division)
    return row


def _found(entrustment_id: int) -> Entrustment:
    row = Entrustment.objects.select_for_update(of=("self",)).filter(pk=entrustment_id).first()
    if row is None:
        raise BadInput("没有这封委托函", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    return row


def _waiting(row: Entrustment) -> Entrustment:
    if row.state != State.SENT:
        raise AlreadyDone(f"这封委托函{row.get_state_display()}", remedy="请刷新后查看")
    return row

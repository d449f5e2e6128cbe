"""Emergency relief: help first, papers later, from the township's petty fund (DET-05; 国发〔2014〕47号, 民发〔2018〕23号).

    clerk records ──(above the limit: a meeting decides)──► head approves ──► paid from the petty fund ──► papers filed

Somebody from elsewhere is helped where the emergency is: `record_guest`; his home sees the row and ties it to his household
(`tie_guest`), from where he may ask for more. Neither place sees anything else of the other (TableClass.ADDRESSED).

Always true: who recorded a case does not approve it, and nobody records, reviews or decides his relative's (REG-10); above the limit nobody approves without a meeting of three or more
of whom most were in favour; a case is paid once and in full, in the transaction that approves it; the fund never falls
below zero and equals the sum of its booked entries; money given to a fund counts when a second person of finance has
confirmed it. The fund has a book of its own and makes no posting in the ledger.

What one case may take is the lower of the fund's own limit and the policy's 乡镇审批限额, where that is in force.
"""

from collections.abc import Sequence
from datetime import date

from django.db.models import F, Sum

from huimin.calendars.queries import calendar_of
from huimin.casework.models import PettyEntry, PettyFund, Relief, ReliefMeeting
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.database.personal import ID_NUMBER, sealed
from huimin.divisions.queries import find_division
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.identity import parse_identity
from huimin.kernel.money import yuan
from huimin.kernel.places import Level, chain
from huimin.kinship.recusal import require_not_related, require_not_relative
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPlace,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.queries import adopted_book
from huimin.registry.commands.facts import locked_household
from huimin.registry.models import Membership, Person

PAPERS_DAYS = 10
"""Working days in which papers and signatures are completed after the help."""
AMOUNT_MAX_FEN = 100_000_00
_PROGRAMME, _LIMIT = "temporary-relief", "乡镇审批限额"


class PettyFundExhausted(Refusal):
    """The township's petty fund does not hold that much."""


class NoPettyFund(Refusal):
    """The township has no petty fund."""


class MeetingFirst(Refusal):
    """Above the limit a meeting decides before the head approves."""


class MeetingAgainst(Refusal):
    """The meeting did not agree."""


refused_by_constraint(
    "petty_fund_not_negative", PettyFundExhausted, "备用金余额不够", "请先申请拨入备用金，或由县级审批"
)
refused_by_constraint(
    "relief_of_guest_one_waiting",
    AlreadyDone,
    "这个人已有一件急难救助在等审批",
    "请先办完那一件；也可能在别的乡镇登记过",
)
refused_by_constraint("relief_one_waiting", AlreadyDone, "这一户已有一件急难救助在等审批", "请先办完那一件")
refused_by_constraint("casework_pettyentry_relief_id_key", AlreadyDone, "这件救助已经付过", "请刷新后查看")
refused_by_constraint("casework_reliefmeeting_relief_id_key", AlreadyDone, "这件救助的会议已经登记", "请刷新后查看")
refused_by_constraint(
    "meeting_of_three_in_favour", MeetingFirst, "参加会议的人不足三人", "请写明三名以上参加人和赞成人数"
)


# The petty fund.


@command(Post.FINANCE_OFFICER)
def set_up_fund(*, by: Actor, on: date, division: str, limit_fen: int, basis: str) -> PettyFund:
    """A township's petty fund and what one case may take, by a document; again with another limit changes the limit."""
    _require_township(by, division)
    if not 0 < limit_fen <= AMOUNT_MAX_FEN or not basis.strip():
        raise BadInput(
            "单笔限额或依据不对", where="单笔限额", remedy=f"请写 {yuan(AMOUNT_MAX_FEN)} 元以内的限额和文件依据"
        )
    terms = {"limit_fen": limit_fen, "basis": basis.strip()[:120]}
    fund = PettyFund.objects.select_for_update().filter(division=division).first()
    if fund is None:
        return PettyFund.objects.create(division=division, **terms)
    PettyFund.objects.filter(pk=fund.pk).update(**terms)
    fund.refresh_from_db()
    return fund


def _require_township(by: Actor, division: str) -> None:
    require_place(by, division)
    if (
        len(division) != 12
        or division[Level.TOWNSHIP :].strip("0")
        or not division[Level.COUNTY : Level.TOWNSHIP].strip("0")
    ):
        raise BadInput("备用金设在乡镇", where="乡镇", remedy="请选择乡镇")


@command(Post.FINANCE_OFFICER)
def propose_topup(*, by: Actor, on: date, division: str, amount_fen: int, note: str) -> PettyEntry:
    """Money given to a fund, as entered by one person of finance; it counts when another has confirmed it."""
    require_place(by, division)
    fund = _fund(division)
    if not 0 < amount_fen <= 100 * AMOUNT_MAX_FEN or not note.strip():
        raise BadInput("拨入金额或凭证不对", where="拨入金额", remedy="请写大于零的金额和拨款凭证号")
    return PettyEntry.objects.create(
        fund=fund, division=fund.division, kind=PettyEntry.Kind.GIVEN, state=PettyEntry.State.PROPOSED,
        amount_fen=amount_fen, note=note.strip()[:120], entered_by=by.appointment, entered_on=on,
    )  # fmt: skip


@command(Post.FINANCE_RELEASER)
def confirm_topup(*, by: Actor, on: date, entry_id: int, agreed: bool = True) -> PettyEntry:
    """The second person: the money is in the fund, or the entry was wrong."""
    entry = PettyEntry.objects.select_for_update().get(pk=entry_id)
    require_place(by, entry.division)
    require_another(by, entry.entered_by, "登记拨入")
    if entry.state != PettyEntry.State.PROPOSED:
        raise AlreadyDone("这笔拨入已经复核", remedy="请刷新后查看")
    if agreed:
        _book(entry, entry.amount_fen, by, on)
    else:
        entry.state, entry.booked_by, entry.booked_on = PettyEntry.State.REFUSED, by.appointment, on
        entry.save(update_fields=["state", "booked_by", "booked_on"])
    return entry


def _fund(division: str) -> PettyFund:
    fund = PettyFund.objects.select_for_update().filter(division=division).first()
    if fund is None:
        raise NoPettyFund("这个乡镇还没有设备用金", remedy="请县财政部门先设立备用金和单笔限额")
    return fund


def _book(entry: PettyEntry, change_fen: int, by: Actor, on: date) -> None:
    """Balance and entry together; the database refuses a balance below zero."""
    PettyFund.objects.filter(pk=entry.fund_id).update(balance_fen=F("balance_fen") + change_fen)
    entry.balance_fen = PettyFund.objects.values_list("balance_fen", flat=True).get(pk=entry.fund_id)
    entry.state, entry.booked_by, entry.booked_on = PettyEntry.State.BOOKED, by.appointment, on
    entry.save(update_fields=["state", "booked_by", "booked_on", "balance_fen"])


# A case.


@command(Post.CLERK)
def record_relief(
    *, by: Actor, on: date, household: int, person: int | None = None, cause: str, story: str, happened_on: date,
    amount_fen: int,
) -> Relief:  # fmt: skip
    """What happened to whom and what help is asked for; papers are due ten working days from today."""
    found = locked_household(by, household)
    require_not_related(by, on, [found.pk])
    fund = _fund(by.division)
    _require_told(on, cause, story, happened_on, amount_fen)
    if person is not None and not _is_member(found.pk, person, on):
        raise BadInput("这个人不在这一户", where="救助对象", remedy="请从这一户的成员中选择")
    return Relief.objects.create(
        division=found.division, household=found, person_id=person, cause=cause, story=story.strip()[:500],
        happened_on=happened_on, amount_fen=amount_fen, collective=amount_fen > limit_of(fund, on),
        recorded_by=by.appointment, recorded_on=on, papers_due_on=calendar_of(by.division).add(on, PAPERS_DAYS),
    )  # fmt: skip


def _require_told(on: date, cause: str, story: str, happened_on: date, amount_fen: int) -> None:
    if cause not in Relief.Cause.values or not story.strip():
        raise BadInput("没有写明急难情形", where="急难情形", remedy="请选择情形并写明经过")
    if happened_on > on:
        raise BadInput(f"{happened_on} 还没有到", where="发生日期", remedy="请核对发生日期")
    if not 0 < amount_fen <= AMOUNT_MAX_FEN:
        raise BadInput("救助金额不对", where="救助金额", remedy=f"请写大于零、不超过 {yuan(AMOUNT_MAX_FEN)} 元的金额")


@command(Post.CLERK)
def record_guest(
    *, by: Actor, on: date, guest: str, id_number: str, home: str, cause: str, story: str, happened_on: date,
    amount_fen: int,
) -> Relief:  # fmt: skip
    """An emergency here of somebody who lives elsewhere. `id_number` "" when he has no paper; `home` "" when nobody knows.

    BadInput when the number is not one, or when he is registered here.
    """
    fund = _fund(by.division)
    _require_told(on, cause, story, happened_on, amount_fen)
    if not 1 < len(guest.strip()) <= 60:
        raise BadInput("没有写姓名", where="姓名", remedy="请写本人所说的姓名；说不出的写明特征")
    enc = hashed = None
    if id_number.strip():
        enc, hashed = sealed(parse_identity(id_number, today=on).number, ID_NUMBER)
        require_not_relative(by, hashed)
        if Person.objects.filter(id_number_hash=hashed, closed_on=None).exists():
            raise BadInput("这个人登记在本乡镇", where="证件号码", remedy="请查到这一户，从家庭页面登记急难救助")
    if home and (home.startswith(by.prefix) or find_division(home, on) is None):
        raise BadInput("户籍地不对", where="户籍地", remedy="请选择外乡镇；不清楚的先不选")
    return Relief.objects.create(
        division=by.division, guest=guest.strip(), id_number_enc=enc, id_number_hash=hashed, home=home, cause=cause,
        story=story.strip()[:500], happened_on=happened_on, amount_fen=amount_fen,
        collective=amount_fen > limit_of(fund, on), recorded_by=by.appointment, recorded_on=on,
        papers_due_on=calendar_of(by.division).add(on, PAPERS_DAYS),
    )  # fmt: skip


@command(Post.CLERK)
def tie_guest(*, by: Actor, on: date, relief_id: int, household: int, person: int) -> Relief:
    """At home: whom somewhere else was helped is this member of this household; the number must agree where it is known."""
    relief = Relief.objects.select_for_update().filter(pk=relief_id).first()
    if relief is None or not relief.guest or not relief.home.startswith(by.prefix):
        raise NotYourPlace("这件救助不是本地居民在外地的", remedy="请从“本地居民在外地”的列表进入")
    if relief.household_id is not None:
        raise AlreadyDone("已经认领", remedy="请刷新后查看")
    found = locked_household(by, household)
    if not _is_member(found.pk, person, on):
        raise BadInput("这个人不在这一户", where="救助对象", remedy="请从这一户的成员中选择")
    known = Person.objects.get(pk=person)
    if relief.id_number_hash is not None and bytes(relief.id_number_hash) != bytes(known.id_number_hash):
        raise BadInput("证件号码与登记的不一致", where="救助对象", remedy="请核对是不是同一个人")
    relief.household, relief.person, relief.tied_by, relief.tied_on = found, known, by.appointment, on
    relief.save(update_fields=["household", "person", "tied_by", "tied_on"])
    return relief


def _require_no_relative(by: Actor, on: date, relief: Relief) -> None:
    if relief.household_id is not None:
        require_not_related(by, on, [relief.household_id])
    if relief.id_number_hash is not None:
        require_not_relative(by, bytes(relief.id_number_hash))


def limit_of(fund: PettyFund, on: date) -> int:
    """What one case may take, in 分: the lower of the fund's limit and the policy's, where that is in force."""
    for law in adopted_book().programmes_in_force(
        chain(fund.division), on
    ):  # one that waits for values is not among them
        if law.code == _PROGRAMME and _LIMIT in law.parameters:
            return min(fund.limit_fen, int(law.parameters[_LIMIT].value * 100))  # type: ignore[operator, arg-type]
    return fund.limit_fen


def _is_member(household: int, person: int, on: date) -> bool:
    rows = Membership.objects.filter(household=household, person=person, recorded_to=None, valid_from__lte=on)
    return any(row.valid_to is None or row.valid_to > on for row in rows)


@command(Post.CLERK, Post.REVIEWER)
def record_meeting(
    *, by: Actor, on: date, relief_id: int, held_on: date, attendants: Sequence[str], in_favour: int, minutes: str
) -> ReliefMeeting:
    """The collective decision (一事一议): who attended, how many were in favour, what was said."""
    relief = _waiting(by, relief_id)
    _require_no_relative(by, on, relief)
    names = [name.strip()[:40] for name in attendants if name.strip()]
    if len(set(names)) != len(names) or len(names) < 3:
        raise BadInput("参加会议的人不足三人，或有重名", where="参加人", remedy="请写三名以上参加人，每人一行")
    if not 0 <= in_favour <= len(names) or not minutes.strip():
        raise BadInput(
            "赞成人数或会议记录不对", where="赞成人数", remedy=f"赞成人数在 0 到 {len(names)} 之间，并写明会议记录"
        )
    if not relief.recorded_on <= held_on <= on:
        raise BadInput("会议日期不对", where="会议日期", remedy="会议在登记之后、今天以前")
    return ReliefMeeting.objects.create(
        relief=relief, division=relief.division, held_on=held_on, attendants=names, in_favour=in_favour,
        minutes=minutes.strip()[:1000], entered_by=by.appointment,
    )  # fmt: skip


@command(Post.TOWNSHIP_HEAD)
def approve_relief(*, by: Actor, on: date, relief_id: int) -> Relief:
    """Approved, signed and paid from the petty fund, at once."""
    relief = _waiting(by, relief_id)
    require_another(by, relief.recorded_by, "登记救助")
    _require_no_relative(by, on, relief)
    fund = _fund(by.division)
    meeting = ReliefMeeting.objects.filter(relief=relief).first()
    if relief.collective or relief.amount_fen > limit_of(fund, on):
        _require_agreed(meeting)
    content = digest({"relief": relief.pk, "amount_fen": relief.amount_fen, "meeting": meeting.pk if meeting else None})
    relief.signature = sign(by=by, on=on, act="批准急难救助", subject=f"relief:{relief.pk}", content_digest=content)
    relief.state, relief.decided_by, relief.decided_on = Relief.State.PAID, by.appointment, on
    relief.save(update_fields=["state", "decided_by", "decided_on", "signature"])
    entry = PettyEntry.objects.create(
        fund=fund, division=fund.division, kind=PettyEntry.Kind.PAID, state=PettyEntry.State.PROPOSED,
        amount_fen=relief.amount_fen, relief=relief, note=relief.get_cause_display(), entered_by=relief.recorded_by,
        entered_on=on,
    )  # fmt: skip
    _book(entry, -relief.amount_fen, by, on)
    return relief


def _require_agreed(meeting: ReliefMeeting | None) -> None:
    if meeting is None:
        raise MeetingFirst("超过单笔限额，须先集体研究", why="一事一议", remedy="请登记会议：参加人、赞成人数和记录")
    if meeting.in_favour * 2 <= len(meeting.attendants):
        raise MeetingAgainst(
            f"会议没有同意（{meeting.in_favour} / {len(meeting.attendants)} 人赞成）", remedy="请按会议意见不予救助"
        )


@command(Post.TOWNSHIP_HEAD)
def refuse_relief(*, by: Actor, on: date, relief_id: int, refusal: str) -> Relief:
    """Not helped, with the reason."""
    relief = _waiting(by, relief_id)
    require_another(by, relief.recorded_by, "登记救助")
    _require_no_relative(by, on, relief)
    if not refusal.strip():
        raise BadInput("不予救助须写明理由", where="理由", remedy="请填写理由后再提交")
    relief.state, relief.decided_by, relief.decided_on = Relief.State.REFUSED, by.appointment, on
    relief.refusal = refusal.strip()[:300]
    relief.save(update_fields=["state", "decided_by", "decided_on", "refusal"])
    return relief


@command(Post.CLERK)
def file_papers(*, by: Actor, on: date, relief_id: int, papers: str) -> Relief:
    """The papers that were to follow are there, late or not."""
    relief = _locked(by, relief_id)
    if relief.state != Relief.State.PAID or relief.papers_on is not None:
        raise AlreadyDone("这件救助不等补材料", why="还没有救助，或材料已经补齐", remedy="请刷新后查看")
    if not papers.strip():
        raise BadInput("没有写补了哪些材料", where="材料", remedy="请写明补齐的材料")
    relief.papers, relief.papers_on, relief.papers_by = papers.strip()[:500], on, by.appointment
    relief.save(update_fields=["papers", "papers_on", "papers_by"])
    return relief


def _locked(by: Actor, relief_id: int) -> Relief:
    relief = Relief.objects.select_for_update().get(pk=relief_id)
    require_place(by, relief.division)
    return relief


def _waiting(by: Actor, relief_id: int) -> Relief:
    relief = _locked(by, relief_id)
    if relief.state != Relief.State.RECORDED:
        raise AlreadyDone(f"这件救助{relief.get_state_display()}", why="可能已有人办理", remedy="请刷新后查看")
    return relief


# Reads; inside `reading(by)`.

OVERDUE, OWING, ABROAD = "overdue", "owing", "abroad"


def page_reliefs(prefix: str, state: str, on: date, place: str = "", size: int = SIZE) -> Page[Relief]:
    """By village; `state` is a case's, or OWING: papers are to follow, or OVERDUE: they are late, or ABROAD: people of
    here who were helped elsewhere."""
    first, until = scope_of(prefix)
    if state == ABROAD:
        rows = Relief.objects.filter(home__gte=first, home__lt=until).exclude(guest="")
        return cut(rows.select_related("household", "person"), ("home", "id"), place, size)
    rows = Relief.objects.filter(division__gte=first, division__lt=until).select_related("household", "person")
    if state in (OVERDUE, OWING):
        rows = rows.filter(state=Relief.State.PAID, papers_on=None)
        rows = rows.filter(papers_due_on__lt=on) if state == OVERDUE else rows
    elif state:
        rows = rows.filter(state=state)
    return cut(rows, ("division", "id"), place, size)


def list_owing(prefix: str, rows_max: int = 200) -> list[Relief]:
    """Paid cases whose papers are still to come, the earliest first."""
    first, until = scope_of(prefix)
    rows = Relief.objects.filter(division__gte=first, division__lt=until, state=Relief.State.PAID, papers_on=None)
    return list(rows.select_related("household").order_by("papers_due_on", "id")[:rows_max])


def list_waiting(prefix: str, rows_max: int = 200) -> list[Relief]:
    """Cases that wait for the head, the oldest first."""
    first, until = scope_of(prefix)
    rows = Relief.objects.filter(division__gte=first, division__lt=until, state=Relief.State.RECORDED)
    return list(rows.select_related("household").order_by("recorded_on", "id")[:rows_max])


def list_untied(prefix: str, rows_max: int = 60) -> list[Relief]:
    """People of here who were helped elsewhere and are not tied to their household yet, the oldest first."""
    first, until = scope_of(prefix)
    rows = Relief.objects.filter(home__gte=first, home__lt=until, household=None).exclude(guest="")
    return list(rows.order_by("id")[:rows_max])


def list_proposed(prefix: str, rows_max: int = 60) -> list[PettyEntry]:
    """Money given to funds that waits for the second person."""
    first, until = scope_of(prefix)
    rows = PettyEntry.objects.filter(division__gte=first, division__lt=until, state=PettyEntry.State.PROPOSED)
    return list(rows.order_by("id")[:rows_max])


def list_funds(prefix: str) -> list[PettyFund]:
    first, until = scope_of(prefix)
    return list(PettyFund.objects.filter(division__gte=first, division__lt=until).order_by("division")[:200])


def list_entries(fund_id: int, rows_max: int = 200) -> list[PettyEntry]:
    """Newest first."""
    return list(PettyEntry.objects.filter(fund=fund_id).select_related("relief__household").order_by("-id")[:rows_max])


def booked_sum(fund_id: int) -> int:
    """What the booked entries add up to; it equals the balance."""
    rows = PettyEntry.objects.filter(fund=fund_id, state=PettyEntry.State.BOOKED)
    sums = dict(rows.values_list("kind").annotate(Sum("amount_fen")))
    return int(sums.get(PettyEntry.Kind.GIVEN, 0)) - int(sums.get(PettyEntry.Kind.PAID, 0))

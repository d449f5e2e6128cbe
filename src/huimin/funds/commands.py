"""Money from above: asked for, reserved within an indicator (funds.indicators), transferred, confirmed by the bank (FUND-01 to FUND-03).

    apply_funding          a township asks (a step of payment's command)            applied
    reserve_funding        finance sets the money aside within the allotment        reserved
    transfer_funding       another person releases; a numbered order for the bank   reserved, with its number
    take_transfer_answer   the bank has moved it: spent, and posted in the books    transferred

Always true when a function of this module returns:

- Reserved and spent together never exceed an allotment; a set of applications is reserved whole or not at all.
- Who reserved does not release, who applied does not reserve (also by constraints).
- An application's money is posted once, whatever is repeated; a wrong file changes nothing.

Locks are taken applications first, then allotments, each by rising id. Deadlines are flags, not refusals: late money
is still owed. Law: S0 A1 art 20–23, A4 art 7–8, 11, 20–21.
"""

import hashlib
import re
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q, Sum

from huimin.database.bulk import fetch, run
from huimin.database.context import scope_of
from huimin.database.personal import ACCOUNT, sealed
from huimin.divisions.queries import name_of
from huimin.funds.indicators import FundsExhausted
from huimin.funds.models import Allotment, FundingApplication, Route, SpecialAccount
from huimin.funds.orders import find_parties, put_order, row_id
from huimin.funds.routes import route_of
from huimin.kernel.bankfile import Parsed, parse_file, read_format
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kernel.places import chain
from huimin.ledger.chart import DEPOSIT
from huimin.ledger.commands import EventRow, open_books, post_events
from huimin.ledger.models import Voucher
from huimin.ledger.queries import balance_of
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.signing import sign
from huimin.policy.queries import programme_name

TRANSFER_DAYS = 5
State = FundingApplication.State

AccountRow = tuple[str, str, str, str, int]
"""(division, kind, name, plain account number, bank office id)"""


class AccountDiffers(Refusal):
    """The place has another account of this kind, or the number belongs to another place."""


class NoSuchApplication(Refusal):
    """No application of this number in the actor's place."""


class WrongState(Refusal):
    """The application is not at the step this act belongs to."""


refused_by_constraint("application_once", AlreadyDone, "这份清册已经申请过拨款", "请在拨款申请列表中查看")
refused_by_constraint("special_account_number_once", AccountDiffers, "这个账号已登记给别处", "请核对账号")


@command(Post.FINANCE_OFFICER)
def open_special_accounts(*, by: Actor, on: date, rows: list[AccountRow]) -> int:
    """Register special and treasury accounts and open the books of the special ones; how many were new. All or none.

    The same account again changes nothing; AccountDiffers when the place has another. Numbers are stored encrypted.
    """
    known = {
        (account.division, account.kind): account
        for account in SpecialAccount.objects.filter(division__in={row[0] for row in rows})
    }
    banks = set(Office.objects.filter(kind=OfficeKind.BANK).values_list("pk", flat=True))
    made = [account for n, row in enumerate(rows, 1) if (account := _new_account(by, row, n, known, banks))]
    SpecialAccount.objects.bulk_create(made)
    open_books(by=by, on=on, divisions=sorted({row[0] for row in rows if row[1] == SpecialAccount.Kind.SPECIAL}))
    return len(made)


def _new_account(
    by: Actor, row: AccountRow, number: int, known: dict[tuple[str, str], SpecialAccount], banks: set[int]
) -> SpecialAccount | None:
    division, kind, name, account, bank_office = row
    require_place(by, division)
    if not re.fullmatch("[0-9]{6,32}", account) or kind not in SpecialAccount.Kind.values or bank_office not in banks:
        raise BadInput(
            "账户登记不完整",
            where=f"第{number}行",
            why="账号须为 6 至 32 位数字，开户机构须为代理银行",
            remedy="请更正",
        )
    account_enc, account_hash = sealed(account, ACCOUNT)
    if earlier := known.get((division, kind)):
        if (bytes(earlier.account_hash), earlier.name) != (account_hash, name):
            raise AccountDiffers(
                f"{name_of(division)}已登记另一个账户", why=f"户名 {earlier.name}", remedy="请核对后再登记"
            )
        return None
    return SpecialAccount(
        division=division, kind=kind, name=name, account_enc=account_enc, account_hash=account_hash,
        account_tail=account[-4:], bank_office_id=bank_office,
    )  # fmt: skip


def apply_funding(
    *, by: Actor, on: date, division: str, programme: str, subject: str, year: int, amount_fen: int, due_on: date
) -> FundingApplication:
    """A township's application for the money of `subject`, by the route of the day; late is flagged, not refused (FUND-03).

    A subject with a live application is AlreadyDone.
    """
    require_place(by, division)
    assert amount_fen > 0
    return FundingApplication.objects.create(
        division=division, programme=programme, subject=subject, year=year, amount_fen=amount_fen,
        applied_by=by.appointment, applied_on=on, due_on=due_on, route=route_of(division, programme, on),
    )  # fmt: skip


@command(Post.SETTLEMENT)
def withdraw_application(*, by: Actor, on: date, application_id: int) -> FundingApplication:
    """Take back an application that nothing was reserved for; again changes nothing."""
    [application] = _lock([application_id])
    if application.state == State.APPLIED:
        application.state, application.withdrawn_on = State.WITHDRAWN, on
        application.save(update_fields=["state", "withdrawn_on"])
    elif application.state != State.WITHDRAWN:
        raise _wrong_state(application, "资金已经预留或拨付，不能撤回")
    return application


def _lock(application_ids: list[int]) -> list[FundingApplication]:
    """The applications, locked by rising id; NoSuchApplication when one is not there or not in the actor's place."""
    wanted = set(application_ids)
    found = list(FundingApplication.objects.select_for_update().filter(pk__in=wanted).order_by("id"))
    if missing := wanted - {application.pk for application in found}:
        raise NoSuchApplication(
            f"没有编号为 {min(missing)} 的拨款申请", why="它不存在，或不在您的辖区内", remedy="请从列表进入"
        )
    return found


def _wrong_state(application: FundingApplication, why: str) -> WrongState:
    return WrongState(
        f"拨款申请 {application.pk} 现在是“{application.get_state_display()}”", why=why, remedy="请刷新后查看"
    )


@command(Post.FINANCE_OFFICER)
def reserve_funding(*, by: Actor, on: date, application_ids: list[int]) -> int:
    """Set the money of the applications aside within their allotments (FUND-01); how many were new. All or none.

    FundsExhausted with what is needed and left. Transfer is due five days later (A4 art 21). What is reserved or
    transferred already is left as it is.
    """
    applications = _lock(application_ids)
    for application in applications:
        if application.state == State.WITHDRAWN:
            raise _wrong_state(application, "申请已撤回")
    waiting = [application for application in applications if application.state == State.APPLIED]
    for applied_by in {application.applied_by for application in waiting}:
        require_another(by, applied_by, "申请拨款")
    if waiting:
        _reserve(by, on, _place(on, waiting, _lock_allotments(by, on, waiting)))
    return len(waiting)


def _lock_allotments(by: Actor, on: date, applications: list[FundingApplication]) -> list[Allotment]:
    years = {application.year for application in applications}
    first, until = scope_of(by.prefix)
    wanted = Allotment.objects.filter(
        division__gte=first, division__lt=until, state=Allotment.State.IN_FORCE,
        programme__in={application.programme for application in applications},
    ).filter(Q(year__in=years) | Q(kind=Allotment.Kind.CARRIED, year__gt=min(years), year__lte=on.year))  # fmt: skip
    return list(wanted.select_for_update().order_by("id"))


def _place(
    on: date, applications: list[FundingApplication], allotments: list[Allotment]
) -> list[tuple[FundingApplication, Allotment]]:
    """Each application with the allotment it is met from: the nearest place's first, then the oldest that holds it."""
    left = {allotment.pk: allotment.left_fen for allotment in allotments}
    placed = []
    for application in applications:
        fitting = _fitting(on, application, allotments)
        chosen = next((each for each in fitting if left[each.pk] >= application.amount_fen), None)
        if chosen is None:
            raise _exhausted(application, sum(left[each.pk] for each in fitting))
        left[chosen.pk] -= application.amount_fen
        placed.append((application, chosen))
    return placed


def _fitting(on: date, application: FundingApplication, allotments: list[Allotment]) -> list[Allotment]:
    """Those of its year, the nearest place's first; once that is over, what was carried over of it into a later one."""
    places = chain(application.division)
    fitting = [
        each
        for each in allotments
        if each.division in places and each.programme == application.programme
        and (each.year == application.year
             or (each.kind == Allotment.Kind.CARRIED and application.year < each.year <= on.year))
    ]  # fmt: skip
    return sorted(fitting, key=lambda each: (each.year, -places.index(each.division), each.pk))


def _exhausted(application: FundingApplication, left_fen: int) -> FundsExhausted:
    return FundsExhausted(
        f"{application.year}年{programme_name(application.programme)}的指标不够",
        why=f"{name_of(application.division)}的第 {application.pk} 号申请需要 {yuan(application.amount_fen)} 元，指标还剩 {yuan(left_fen)} 元"
        + ("，但没有一份文件的余额够一笔" if left_fen >= application.amount_fen else ""),
        remedy="请申请追加指标，或减少这次预留的申请",
    )


def _reserve(by: Actor, on: date, placed: list[tuple[FundingApplication, Allotment]]) -> None:
    sums: dict[int, int] = defaultdict(int)
    for application, allotment in placed:
        sums[allotment.pk] += application.amount_fen
    run(
        "UPDATE funds_allotment a SET reserved_fen = a.reserved_fen + v.amount_fen"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS v (id, amount_fen) WHERE a.id = v.id",
        [list(sums), list(sums.values())],
    )
    run(
        "UPDATE funds_fundingapplication a SET state = 'reserved', allotment_id = v.allotment, decided_by = %s,"
        " decided_on = %s, transfer_due_on = %s"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS v (id, allotment) WHERE a.id = v.id",
        [by.appointment, on, on + timedelta(days=TRANSFER_DAYS),
         [application.pk for application, _ in placed], [allotment.pk for _, allotment in placed]],
    )  # fmt: skip


@command(Post.FINANCE_RELEASER)
def transfer_funding(*, by: Actor, on: date, application_ids: list[int]) -> list[FundingApplication]:
    """Release the transfer of reserved money, one numbered and signed order each; never by who reserved it.

    An order on its way is returned as it is. One the bank refused is released anew, under another number.
    `write_transfer_orders` writes the files afterwards. By the direct route the signature is the authorisation: no order,
    nothing to post, the indicator is spent (FUND-05).
    """
    applications = _lock(application_ids)
    for application in applications:
        if application.state in (State.APPLIED, State.WITHDRAWN):
            raise _wrong_state(application, "先由财政经办预留指标，才能拨付")
    released = [application for application in applications if application.is_releasable]
    for decided_by in {application.decided_by for application in released}:
        require_another(by, decided_by, "预留指标")
    if released:
        _release(by, on, released)
    return applications


def _release(by: Actor, on: date, applications: list[FundingApplication]) -> None:
    ordered = [each for each in applications if not each.is_direct]
    parties = find_parties(by.division, ordered) if ordered else None
    numbers = fetch("SELECT nextval('funds_transfer_number') FROM generate_series(1, %s)", [len(applications)])
    for application, (number,) in zip(applications, numbers, strict=True):
        word = "SQ" if application.is_direct else "ZJ"
        application.transfer_no = f"{word}{by.division[:6]}{on:%Y%m%d}{number:06d}"
        application.released_by, application.released_on, application.refusal = by.appointment, on, ""
        if application.is_direct:
            application.state, application.transferred_on = State.TRANSFERRED, on
        else:
            assert parties is not None
            application.payer = parties.payers[application.route]
            order = parties.compose(application, application.transfer_no, on)
            application.order_sha256 = hashlib.sha256(order).hexdigest()
    _require_county_money(by, [each for each in ordered if each.route == Route.COUNTY])
    content = [[each.pk, each.transfer_no, each.amount_fen, each.order_sha256] for each in applications]
    signature = sign(
        by=by, on=on, act="放行拨款", subject=f"transfer:{applications[0].transfer_no}", content_digest=digest(content)
    )
    for application in applications:
        application.signature = signature
    fields = ["transfer_no", "order_sha256", "released_by", "released_on", "refusal", "signature", "payer"]
    FundingApplication.objects.bulk_update(applications, [*fields, "state", "transferred_on"])
    _spend([each for each in applications if each.is_direct])


def _spend(applications: list[FundingApplication]) -> None:
    """What was reserved is spent; one query for any number."""
    if applications:
        sums: dict[int, int] = defaultdict(int)
        for application in applications:
            assert application.allotment_id is not None
            sums[application.allotment_id] += application.amount_fen
        run(
            "UPDATE funds_allotment a SET reserved_fen = a.reserved_fen - v.fen, spent_fen = a.spent_fen + v.fen"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS v (id, fen) WHERE a.id = v.id",
            [list(sums), list(sums.values())],
        )


def _require_county_money(by: Actor, applications: list[FundingApplication]) -> None:
    """The county's special account holds what its orders take, with those on their way, under each programme."""
    for programme in sorted({each.programme for each in applications}):
        asked = sum(each.amount_fen for each in applications if each.programme == programme)
        on_way = FundingApplication.objects.filter(
            route=Route.COUNTY, state=State.RESERVED, programme=programme, refusal=""
        ).exclude(transfer_no="")
        waiting = on_way.exclude(pk__in=[each.pk for each in applications]).aggregate(fen=Sum("amount_fen", default=0))
        held = balance_of(by.division, DEPOSIT.code, programme) - waiting["fen"]
        if asked > held:
            raise FundsExhausted(
                f"县级专户里{programme_name(programme)}的存款不足", why=f"这次要拨 {yuan(asked)} 元，账上可拨 {yuan(held)} 元",
                remedy="请先把资金从财政专户拨入县级专户，登记到账后再拨",
            )  # fmt: skip


@command(Post.FINANCE_RELEASER, Post.FINANCE_OFFICER)
def write_transfer_orders(*, by: Actor, on: date, folder: Path) -> list[Path]:
    """Put the file of every order that is on its way into `folder`; the same bytes however often."""
    waiting = FundingApplication.objects.filter(state=State.RESERVED, refusal="").exclude(transfer_no="").order_by("id")
    if not waiting:
        return []
    parties = find_parties(by.division, waiting)
    return [put_order(folder, application, parties) for application in waiting]


@command(Post.FINANCE_OFFICER)
def take_transfer_answer(*, by: Actor, on: date, path: Path) -> FundingApplication:
    """Take the bank's answer (ZJR_) to one transfer order, or its refusal (ZJX_); returns the application.

    Booked: transferred, the allotment spent, FUNDS_RECEIVED posted in the township's books. Pending: nothing changes.
    Refused: the bank's reason is kept and the order may be released anew. What is known already changes nothing and is
    `taken_before`; a file that is cut, altered, foreign, dated after today, or contradicts an earlier answer is BadInput.
    """
    kind = {"ZJR_": "transfer_answer", "ZJX_": "transfer_refusal"}.get(path.name[:4])
    if kind is None:
        raise BadInput("文件名不是划款回盘", where=path.name, remedy="请选择 ZJR_ 或 ZJX_ 开头的文件")
    try:
        data = path.read_bytes()
    except OSError as missing:
        raise BadInput("读不到文件", where=path.name, remedy="请核对文件是否在回盘目录中") from missing
    parsed = parse_file(read_format(settings.BATCH_FORMAT_FILE), kind, data, path.name)
    application = _answered(on, parsed, path.name)
    outcome = _outcome(on, parsed, application, path.name)
    if outcome == "S":
        _confirm(by, on, application, parsed, path.name)
    elif outcome == "F":
        _keep_refusal(application, parsed, path.name)
    else:
        application.taken_before = application.state == State.TRANSFERRED or bool(application.refusal)
    return application


def _answered(on: date, parsed: Parsed, name: str) -> FundingApplication:
    """The application whose order the file answers, locked."""
    number = parsed.header["transfer_no"]
    application = FundingApplication.objects.select_for_update().filter(transfer_no=number).first()
    if application is None:
        raise BadInput(f"没有划款单 {number}", where=name, remedy="请核对是否为本县的回盘，或已被重新放行的旧单")
    if parsed.header["order_sha256"] != application.order_sha256:
        raise BadInput("回盘所附的原文件校验码与送出的不同", where=f"{name} 第1行", remedy="请与银行核对收到的文件")
    if (day := parsed.header["business_date"]) > on:
        raise BadInput(
            f"回执的日期 {day} 在今天 {on} 以后", where=f"{name} 第1行", why="还没到的日子不能先记账",
            remedy="整份不收；请核对系统的业务日期，到了那天再收，不对的请银行更正后重发",
        )  # fmt: skip
    return application


def _outcome(on: date, parsed: Parsed, application: FundingApplication, name: str) -> str:
    """S, F or U as the bank says of the order's one row; F when it refused the whole file."""
    if parsed.kind == "transfer_refusal":
        return "F"
    told = [(row["row_id"], row["row_amount_fen"]) for row in parsed.rows]
    if told != [(row_id(application), application.amount_fen)]:
        raise BadInput("回盘的明细与划款单不符", where=f"{name} 第2行", remedy="请与银行核对")
    outcome = str(parsed.rows[0]["row_state"])
    if outcome == "S" and parsed.rows[0]["booked_on"] is None:
        raise BadInput("已入账的明细没有入账日期", where=f"{name} 第2行", remedy="请银行更正后重发")
    if outcome == "S" and parsed.rows[0]["booked_on"] > on:
        raise BadInput(
            f"入账日期 {parsed.rows[0]['booked_on']} 在今天 {on} 以后", where=f"{name} 第2行",
            remedy="请核对系统的业务日期，到了那天再收，不对的请银行更正后重发",
        )  # fmt: skip
    return outcome


def _confirm(by: Actor, on: date, application: FundingApplication, parsed: Parsed, name: str) -> None:
    """Transferred, spent and posted, once."""
    if application.refusal:
        raise _contradiction(application, "退回", name)
    booked_on = parsed.rows[0]["booked_on"]
    if application.state == State.TRANSFERRED:
        if application.transferred_on != booked_on:
            raise _contradiction(application, f"{application.transferred_on} 入账", name)
        application.taken_before = True
        return
    application.state, application.transferred_on = State.TRANSFERRED, booked_on
    application.save(update_fields=["state", "transferred_on"])
    _spend([application])
    post_events(by=by, on=on, rows=_events_of(application))


def _events_of(application: FundingApplication) -> list[EventRow]:
    """拨入专款 in the township's books; 拨出专款 in the county's where its special account paid."""
    number, programme, amount_fen = application.transfer_no, application.programme, application.amount_fen
    subject = f"application:{application.pk}"
    rows = [
        EventRow(
            application.division, Voucher.Event.FUNDS_RECEIVED, subject, f"划款单 {number} 拨入专款", amount_fen,
            programme, number,
        )
    ]  # fmt: skip
    if application.route == Route.COUNTY:
        assert application.payer is not None
        rows.append(
            EventRow(
                application.payer.division, Voucher.Event.FUNDS_ISSUED, subject, f"划款单 {number} 拨出专款", amount_fen,
                programme, number,
            )
        )  # fmt: skip
    return rows


def _keep_refusal(application: FundingApplication, parsed: Parsed, name: str) -> None:
    """Keep why the bank did not carry the order out; the money stays reserved and may be released anew."""
    if application.state == State.TRANSFERRED:
        raise _contradiction(application, "已入账", name)
    if parsed.kind == "transfer_refusal":
        code, reason = parsed.header["refusal_code"], parsed.header["refusal_reason"]
    else:
        code, reason = parsed.rows[0]["failure_code"], parsed.rows[0]["failure_reason"]
    refusal = f"{code} {reason}".strip() or "银行未说明原因"
    application.taken_before = application.refusal == refusal
    application.refusal = refusal
    application.save(update_fields=["refusal"])


def _contradiction(application: FundingApplication, earlier: str, name: str) -> BadInput:
    return BadInput(
        f"划款单 {application.transfer_no} 先前的回盘是“{earlier}”", where=name, why="前后不一致", remedy="请与银行核对"
    )

"""Close months and years (结账, 年终结转), each month with its reconciliation with the bank, signed (LED-02, FUND-04).

    carry_over      income and expenses of a year into 专款结余, by programme: a voucher of 31 December, reviewed like others
    close_months    a month of the books of one or many places, one month with vouchers after the other: all or none

A close needs every voucher reviewed, books that balance line by line, and a bank statement that agrees: bank and books
are equal after the items that explain the difference (余额调节表: 账已收银行未收 …). Balances of the month are stored with it, so that
later pages begin there. There is no reopening: a mistake is taken back in an open month (correcting).

Always true when a function of this module returns: nothing is dated in a closed month; a year's December closes when its
income and expenses stand at zero (both also by triggers). A month may close with money in transit: the bank has five
working days, so a month's end falls between sending and answer as a rule. Law: S0 A2 art 21, A4 art 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch
from huimin.divisions.queries import name_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kernel.periods import Period, add_months
from huimin.ledger.chart import DEPOSIT, FUNDS, IN_TRANSIT, OF_THE_YEAR, RETURNING
from huimin.ledger.commands import Head, Line, add_heads, add_lines, require_books
from huimin.ledger.models import LedgerAccount, MonthClose, Voucher
from huimin.ledger.proving import differences_of
from huimin.ledger.statements import movements
from huimin.organisation.acting import Actor, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign

PLACES_MAX = 500
_ON_THE_WAY = (IN_TRANSIT.code, RETURNING.code)

# kind -> (words, on which side, sign)
ITEMS: dict[str, tuple[str, str, int]] = {
    "book_paid": ("账已付、银行未付", "bank", -1),
    "book_received": ("账已收、银行未收", "bank", 1),
    "bank_received": ("银行已收、账未收", "book", 1),
    "bank_paid": ("银行已付、账未付", "book", -1),
}


class MonthNotOver(Refusal):
    """A month is closed after its last day, a year carried over after its own."""


class NotReviewed(Refusal):
    """A voucher of the month waits for its review."""


class BankDiffers(Refusal):
    """The bank's balance is not the books', and the items do not explain it."""


class EarlierFirst(Refusal):
    """An earlier month with vouchers is still open."""


class NotCarriedOver(Refusal):
    """December closes after the year was carried over."""


class BooksDiffer(Refusal):
    """The books do not add up: they were changed behind the database's back."""


class NothingToClose(Refusal):
    """No books there, or closed already."""


refused_by_constraint("ledger_all_reviewed", NotReviewed, "还有凭证没有审核", "请先审核这个月的凭证")
refused_by_constraint("ledger_year_carried", NotCarriedOver, "本年收支还没有结转", "请先办理年终结转并审核结转凭证")
refused_by_constraint("ledger_year_first", NotCarriedOver, "上一年还没有结账", "请先结上一年十二月的账")
refused_by_constraint("ledger_close_order", NothingToClose, "以后的月份已经结账", "请刷新后查看")
refused_by_constraint("ledger_close_books", BankDiffers, "账面余额刚刚变动", "请刷新后重新核对")
refused_by_constraint("month_close_agrees_with_bank", BankDiffers, "银行余额与账面余额不符", "请核对未达账项")


@dataclass(frozen=True)
class Item:
    """One thing that explains a difference between bank and books (未达账项)."""

    kind: str
    amount_fen: int
    text: str


@dataclass(frozen=True)
class Statement:
    """What the bank's statement says of a place at the month's end, and what explains the difference."""

    division: str
    bank_fen: int
    items: tuple[Item, ...] = ()


@command(Post.ACCOUNTANT)
def close_month(
    *, by: Actor, on: date, division: str, month: date, bank_fen: int, items: Sequence[Item] = ()
) -> MonthClose:
    """Close the month that begins on `month` in the books of one place; again changes nothing. EarlierFirst."""
    return _close(by, on, month, [Statement(division, bank_fen, tuple(items))])[0]


@command(Post.ACCOUNTANT)
def close_months(*, by: Actor, on: date, month: date, statements: Sequence[Statement]) -> list[MonthClose]:
    """The same for many places, all or none; the first that cannot be closed is named."""
    if not 0 < len(statements) <= PLACES_MAX:
        raise BadInput("没有选要结账的账簿", where="结账", remedy="请填写要结账各地的银行余额")
    return _close(by, on, month, statements)


def _close(by: Actor, on: date, month: date, statements: Sequence[Statement]) -> list[MonthClose]:
    if month.day != 1 or on < add_months(month, 1):
        raise MonthNotOver(f"{month:%Y年%m月}还没有结束", why=f"今天是 {on}", remedy="请在下月办理结账")
    return [_close_one(by, on, month, each) for each in sorted(statements, key=lambda each: each.division)]


def _as_closed(close: MonthClose, told: Statement) -> MonthClose:
    """The close there is, for who closes again with the same balance; NothingToClose for who has another."""
    if close.bank_fen != told.bank_fen:
        raise NothingToClose(
            f"{close.month:%Y年%m月}已经结账，银行余额是 {yuan(close.bank_fen)} 元", why=f"这次填的是 {yuan(told.bank_fen)} 元",
            remedy="结账后不能再改，有差错的在以后的月份冲正",
        )  # fmt: skip
    return close


def _close_one(by: Actor, on: date, month: date, told: Statement) -> MonthClose:
    place = told.division
    require_place(by, place)
    if not LedgerAccount.objects.filter(division=place).exists():
        raise NothingToClose(f"{name_of(place)}没有账簿", remedy="不用结账；要建账的，请县财政先登记它的惠民资金专户")
    if earlier := MonthClose.objects.filter(division=place, month=month).first():
        return _as_closed(earlier, told)
    fetch("SELECT pg_advisory_xact_lock(hashtextextended('ledger:' || %s, 0))", [place])
    _require_in_order(place, month)
    _require_reviewed(place, month)
    if wrong := differences_of(place, month):
        raise BooksDiffer(
            f"{name_of(place)}的账自身不平", why=wrong[0].words, remedy="请停止记账并报告监督员核查，查清前不要结账"
        )
    close = _reconciled(place, month, told)
    close.closed_by, close.closed_on = by.appointment, on
    close.digest = digest(_content(close))
    close.signature = sign(
        by=by,
        on=on,
        act="月末结账",
        subject=f"close:{place}:{month:%Y-%m}",
        content_digest=close.digest,
        division=place,
    )
    close.save(force_insert=True)
    return close


def _content(close: MonthClose) -> list[object]:
    """What is signed: the reconciliation, and every balance of the month."""
    last = Period(close.month, add_months(close.month, 1))
    balances = [[row.code, row.programme, row.closing_fen] for row in movements(close.division, last)]
    return [
        close.division, close.month, close.bank_fen, close.book_fen, close.items, close.in_transit,
        close.vouchers_count, close.turnover_fen, balances,
    ]  # fmt: skip


def _require_in_order(place: str, month: date) -> None:
    """Every month in which something was posted has its own reconciliation with the bank, as a good book-keeper does
    (the law asks for every quarter's: 附件2 第10条); none is passed over."""
    last = MonthClose.objects.filter(division=place).order_by("-month").values_list("month", flat=True).first()
    before = Voucher.objects.filter(division=place, month__lt=month)
    before = before.filter(month__gt=last) if last else before
    first = before.order_by("month").values_list("month", flat=True).first()
    if first is not None and (last is None or last < month):
        raise EarlierFirst(
            f"{name_of(place)}{first.year}年{first.month}月还没有结账", why="有凭证的月份都要单独和银行对账，不能跳过",
            remedy=f"请先结{first.month}月的账",
        )  # fmt: skip


def _require_reviewed(place: str, month: date) -> None:
    waiting = Voucher.objects.filter(division=place, occurred_on__lt=add_months(month, 1), review=None)
    last = MonthClose.objects.filter(division=place).order_by("-month").values_list("month", flat=True).first()
    waiting = waiting.filter(occurred_on__gte=add_months(last, 1)) if last else waiting
    if count := waiting.count():
        first = waiting.order_by("month", "word", "number")[0]
        raise NotReviewed(
            f"{name_of(place)}还有 {count} 张凭证没有审核",
            why=f"第一张是 {first.month:%Y年%m月}{first.title}",
            remedy="请先审核凭证",
        )


def _reconciled(place: str, month: date, told: Statement) -> MonthClose:
    """The close as it would be stored, with the bank's side and the books' side brought to one amount. BankDiffers."""
    sides = {"bank": 0, "book": 0}
    for number, item in enumerate(told.items, 1):
        if item.kind not in ITEMS or item.amount_fen <= 0 or not 2 <= len(item.text.strip()) <= 120:
            raise BadInput("未达账项不完整", where=f"未达账项第 {number} 项", remedy="请选类别，填写金额和说明")
        _, side, sign_ = ITEMS[item.kind]
        sides[side] += sign_ * item.amount_fen
    rows = movements(place, Period(month, add_months(month, 1)))
    book = sum(row.closing_fen for row in rows if row.code == DEPOSIT.code)
    if (difference := told.bank_fen + sides["bank"] - book - sides["book"]) != 0:
        raise BankDiffers(
            f"{name_of(place)}的银行余额与账面不符，差 {yuan(difference)} 元",
            why=f"银行 {yuan(told.bank_fen)} 元，账面 {yuan(book)} 元，未达账项调整后仍不相等",
            remedy="请核对银行对账单，把差额写成未达账项；查不清的先不要结账",
        )
    count, turnover = _posted_in(place, month)
    return MonthClose(
        division=place, month=month, bank_fen=told.bank_fen, book_fen=book, bank_adjust_fen=sides["bank"],
        book_adjust_fen=sides["book"],
        items=[{"kind": each.kind, "amount_fen": each.amount_fen, "text": each.text.strip()} for each in told.items],
        in_transit_fen=sum(row.closing_fen for row in rows if row.code in _ON_THE_WAY), in_transit=_in_transit(place, month),
        vouchers_count=count, turnover_fen=turnover,
    )  # fmt: skip


# What was on its way at the last close, and what came and went since, by the number of the batch.
_MOVED = """
SELECT a.code, l.reference, l.programme, sum(CASE WHEN a.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END)::bigint
FROM ledger_ledgeraccount a JOIN ledger_ledgerline l ON a.id IN (l.debit_id, l.credit_id)
WHERE a.division = %(place)s AND a.code = ANY(%(codes)s) AND l.division = %(place)s
  AND l.occurred_on >= %(since)s AND l.occurred_on < %(until)s GROUP BY 1, 2, 3
"""


def _in_transit(place: str, month: date) -> list[list[object]]:
    """[account, number, programme, 分] of everything on its way at the end of the month."""
    last = MonthClose.objects.filter(division=place, month__lt=month).order_by("-month").first()
    left = {tuple(row[:3]): row[3] for row in last.in_transit} if last else {}
    where = {
        "place": place, "codes": list(_ON_THE_WAY), "since": add_months(last.month, 1) if last else date(1, 1, 1),
        "until": add_months(month, 1),
    }  # fmt: skip
    for *key, fen in fetch(_MOVED, where):
        left[tuple(key)] = left.get(tuple(key), 0) + fen
    return [[*key, fen] for key, fen in sorted(left.items()) if fen]


def _posted_in(place: str, month: date) -> tuple[int, int]:
    """Vouchers of the month, and what they add up to."""
    [row] = fetch(
        "SELECT count(*)::int, coalesce(sum(amount_fen), 0)::bigint FROM ledger_voucher WHERE division = %s AND month = %s",
        [place, month],
    )
    return row[0], row[1]


@command(Post.ACCOUNTANT)
def carry_over(*, by: Actor, on: date, divisions: Sequence[str], year: int) -> list[Voucher]:
    """年终结转: what came in and was spent in the year goes into 专款结余, by programme; a voucher of 31 December a place.

    Places with nothing left to carry are passed over, so again carries what has come since. The vouchers are reviewed by
    another person before December closes. MonthNotOver, MonthIsClosed.
    """
    if on.year <= year:
        raise MonthNotOver(f"{year}年还没有结束", why=f"今天是 {on}", remedy="请在下一年办理年终结转")
    day = date(year, 12, 31)
    heads: list[Head] = []
    lines: dict[str, list[Line]] = {}
    for place in sorted(set(divisions)):
        require_place(by, place)
        if carried := _carried(place, year):
            number = Voucher.objects.filter(
                event=Voucher.Event.CARRIED_OVER, subject__startswith=f"year:{place}:{year}:"
            ).count()
            subject = f"year:{place}:{year}:{number + 1}"
            lines[subject] = carried
            amount = sum(line[2] for line in carried)
            head = Head(place, Voucher.Event.CARRIED_OVER, subject, f"{year}年收支转入专款结余", len(carried), amount)
            heads.append(head)
    if not heads:
        return []
    accounts = require_books(day, {head.division for head in heads})
    made = add_heads(day, by.appointment, heads)
    add_lines([(*made[event, subject], line) for event, subject in made for line in lines[subject]], accounts, day)
    return list(Voucher.objects.filter(pk__in=[number for number, _ in made.values()]).order_by("pk"))


def _carried(place: str, year: int) -> list[Line]:
    """The lines that bring each account of the year to zero, under each programme."""
    own = {account.code: account for account in OF_THE_YEAR}
    found: list[Line] = []
    for row in movements(place, Period(date(year, 12, 1), date(year + 1, 1, 1))):
        if row.code not in own or not row.closing_fen:
            continue
        into = own[row.code].closes_into
        # `closing_fen` is debits less credits: income stands below zero, an expense above.
        pair = (row.code, into) if row.closing_fen < 0 else (into, row.code)
        found.append((*pair, abs(row.closing_fen), row.programme, ""))
    return sorted(found, key=lambda line: (line[3], line[0] != FUNDS.code, line[0], line[1]))

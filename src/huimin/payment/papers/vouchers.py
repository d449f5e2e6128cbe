"""记账凭证 on paper: one, or those of a month in the order of their numbers, to sign, bind and file (LED-01).

in    which vouchers; who asks
out   PDF/A-2b; who took it is remembered. Lines are added up by account and programme, so that a voucher of a hundred
      thousand lines is one sheet; what each line was is in the roster behind it
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from huimin.audit.models import Event
from huimin.database.bulk import fetch
from huimin.divisions.queries import names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.money import in_words, yuan
from huimin.ledger.models import Voucher, VoucherScan
from huimin.ledger.sources import Paper, papers_of
from huimin.organisation.acting import Actor, record_event
from huimin.organisation.models import Appointment
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.queries import programme_names

PRINTED_MAX = 500


class Sum(NamedTuple):
    """One row of a voucher: an account under a programme, on one side."""

    side: str
    code: str
    name: str
    programme: str
    amount_fen: int


_SUMS = """
SELECT l.voucher_id, x.side, a.code, a.name, l.programme, sum(l.amount_fen)::bigint
FROM ledger_ledgerline l CROSS JOIN LATERAL (VALUES ('debit', l.debit_id), ('credit', l.credit_id)) AS x (side, account)
JOIN ledger_ledgeraccount a ON a.id = x.account
WHERE l.voucher_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2 DESC, 3, 5
"""


def sums_of(vouchers: Sequence[Voucher]) -> dict[int, list[Sum]]:
    """Voucher id -> its rows, debits first; one query for many."""
    found: dict[int, list[Sum]] = defaultdict(list)
    for voucher, *row in fetch(_SUMS, [[each.pk for each in vouchers]]):
        found[voucher].append(Sum(*row))
    return found


def papers_count(papers: Sequence[Paper], scans: Sequence[VoucherScan]) -> int:
    """附单据: the business documents, and the sheets of what was scanned."""
    return len(papers) + sum(each.sheets for each in scans)


def gather_vouchers(by: Actor, on: date, vouchers: Sequence[Voucher]) -> dict[str, Any]:
    """Everything the paper says; inside `reading(by)`. BadInput for none or more than anybody binds."""
    if not 0 < len(vouchers) <= PRINTED_MAX:
        raise BadInput(f"一次打印 1 至 {PRINTED_MAX} 张凭证", where="打印凭证", remedy="请选一个乡镇和一个月")
    record_event(by, Event.Kind.EXPORTED, "paper:记账凭证", {"rows": len(vouchers)})
    people = {each.posted_by for each in vouchers} | {each.review.reviewed_by for each in vouchers if _reviewed(each)}
    names = dict(Appointment.objects.filter(pk__in=people).values_list("pk", "account__full_name"))
    told = _Told(
        names, names_of({each.division for each in vouchers}, on), programme_names(), sums_of(vouchers),
        papers_of(vouchers), _scans(vouchers),
    )  # fmt: skip
    return {
        "title": "记账凭证", "issuer": by.office_name, "printed": f"打印日期 {on}",
        "vouchers": [_sheet(each, told) for each in vouchers],
    }  # fmt: skip


def vouchers_pdf(content: dict[str, Any], *, on: date, mark: str = "") -> bytes:
    """What was gathered, set; outside the transaction."""
    return typeset("voucher", content, on=on, mark=mark)


class _Told(NamedTuple):
    people: dict[int, str]
    places: dict[str, str]
    programmes: dict[str, str]
    sums: dict[int, list[Sum]]
    papers: dict[int, list[Paper]]
    scans: dict[int, list[VoucherScan]]


def _scans(vouchers: Sequence[Voucher]) -> dict[int, list[VoucherScan]]:
    found: dict[int, list[VoucherScan]] = defaultdict(list)
    for each in VoucherScan.objects.filter(voucher__in=[voucher.pk for voucher in vouchers]).order_by("id"):
        found[each.voucher_id].append(each)
    return found


def _reviewed(voucher: Voucher) -> bool:
    return getattr(voucher, "review", None) is not None


def _sheet(voucher: Voucher, told: _Told) -> dict[str, Any]:
    papers, scans = told.papers.get(voucher.pk, []), told.scans.get(voucher.pk, [])
    maker = told.people.get(voucher.posted_by, "")
    reviewer = told.people.get(voucher.review.reviewed_by, "") if _reviewed(voucher) else ""
    words = in_words(abs(voucher.amount_fen))
    listed = "、".join([f"{each.title} {each.number}".strip() for each in papers] + [each.title for each in scans])
    return {
        "title": "记账凭证（红字）" if voucher.amount_fen < 0 else "记账凭证",
        "unit": f"核算单位：{told.places.get(voucher.division, voucher.division)}惠民资金专户",
        "date": day_in_words(voucher.occurred_on), "number": voucher.title,
        "rows": [_row(voucher, each, told.programmes) for each in told.sums[voucher.pk]],
        "total": f"合计　{'负' if voucher.amount_fen < 0 else ''}{words}",
        "debit": yuan(voucher.amount_fen), "credit": yuan(voucher.amount_fen),
        "papers": wrappable(f"附单据 {papers_count(papers, scans)} 张" + (f"：{listed}" if listed else "")),
        "note": "" if reviewer else "（未审核）",
        "seats": ["财务主管：", "记账：系统", f"审核：{reviewer}", f"制单：{maker if voucher.manual_id else f'系统（经办 {maker}）'}"],
    }  # fmt: skip


def _row(voucher: Voucher, each: Sum, programmes: dict[str, str]) -> list[str]:
    debit, credit = (yuan(each.amount_fen), "") if each.side == "debit" else ("", yuan(each.amount_fen))
    return [
        wrappable(voucher.summary), f"{each.code} {each.name}", programmes.get(each.programme, each.programme), debit, credit,
    ]  # fmt: skip

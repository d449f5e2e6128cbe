"""What stands behind vouchers of transfers (`application:…`) and of money given back or brought in (`money:…`) (LED-01, FUND-02, FUND-03).

Registered with `ledger.sources` when the app is ready: whether a voucher agrees with its application, and its papers.
"""

from collections.abc import Sequence

from huimin.funds.models import FundingApplication, MoneyMove
from huimin.kernel.money import yuan
from huimin.ledger.models import Voucher
from huimin.ledger.sources import Paper, keeps, number_of


def check(vouchers: Sequence[Voucher]) -> dict[int, str]:
    """Voucher id -> "" where the application was transferred with this amount; one query."""
    found = FundingApplication.objects.in_bulk({number_of(each.subject) for each in vouchers})
    return {each.pk: _verdict(each, found.get(number_of(each.subject))) for each in vouchers}


def _verdict(voucher: Voucher, application: FundingApplication | None) -> str:
    if application is None:
        return "没有这份拨款申请"
    if application.state != FundingApplication.State.TRANSFERRED:
        return f"拨款申请现在是“{application.get_state_display()}”"
    if application.amount_fen != voucher.amount_fen:
        return f"拨款申请是 {yuan(application.amount_fen)} 元"
    return ""


def papers(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    """The order, the application with the roster it is for, and the allotment's document."""
    numbers = {number_of(each.subject) for each in vouchers}
    found = FundingApplication.objects.select_related("allotment").in_bulk(numbers)
    return {each.pk: _papers(found[at]) for each in vouchers if (at := number_of(each.subject)) in found}


def _papers(application: FundingApplication) -> list[Paper]:
    kind, _, number = application.subject.partition(":")
    listed = [Paper("划款单", application.transfer_no)] if application.transfer_no else []
    listed.append(Paper("拨款申请书", f"第 {application.pk} 号", "applications"))
    if kind == "roster":
        listed.append(Paper("发放清册", f"第 {number} 号", "roster", int(number)))
    if application.allotment is not None:
        listed.append(Paper("指标文件", application.allotment.document_no))
    return listed


def check_money(vouchers: Sequence[Voucher]) -> dict[int, str]:
    """As `check`, of money given back or brought into a special account."""
    found = MoneyMove.objects.in_bulk({number_of(each.subject) for each in vouchers})
    return {each.pk: _money_verdict(each, found.get(number_of(each.subject))) for each in vouchers}


def _money_verdict(voucher: Voucher, row: MoneyMove | None) -> str:
    if row is None:
        return "没有这笔缴回或拨入"
    if row.state != MoneyMove.State.CONFIRMED:
        return f"这笔{row.get_kind_display()}现在是“{row.get_state_display()}”"
    return "" if row.amount_fen == voucher.amount_fen else f"{row.get_kind_display()}是 {yuan(row.amount_fen)} 元"


def money_papers(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    """The paper that ordered it, the bank's receipt, the application it is of."""
    found = MoneyMove.objects.in_bulk({number_of(each.subject) for each in vouchers})
    listed = {}
    for each in vouchers:
        if row := found.get(number_of(each.subject)):
            papers = [Paper("凭据", row.document_no, "money"), Paper("银行回单", row.receipt_no)]
            listed[each.pk] = papers + (
                [Paper("拨款申请书", f"第 {row.application_id} 号", "applications")] if row.application_id else []
            )
    return listed


def register() -> None:
    keeps("application", check, papers)
    keeps("money", check_money, money_papers)

"""What stands behind vouchers of transfers (`application:…`): the application, its order and allotment (LED-01, FUND-03).

Registered with `ledger.sources` when the app is ready: whether a voucher agrees with its application, and its papers.
"""

from collections.abc import Sequence

from huimin.funds.models import FundingApplication
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


def register() -> None:
    keeps("application", check, papers)

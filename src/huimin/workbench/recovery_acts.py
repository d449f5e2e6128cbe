"""The acts the page of a recovery offers, and what each asks for (PAY-06).

Whether one fits is settled here as the page shows it, by the command when it is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.forms import Form

from huimin.organisation.acting import Actor, may
from huimin.payment import commands
from huimin.payment.models import Recovery
from huimin.payment.recovery_queries import Told
from huimin.workbench import recovery_forms as forms

DECIDED = Recovery.State.DECIDED


@dataclass(frozen=True)
class Act:
    """`run(by, on, row, data)`; `effect` stands above the button."""

    key: str
    title: str
    button: str
    command: Callable[..., Any]
    fits: Callable[[Actor, Told], bool]
    form: type[Form]
    run: Callable[[Actor, date, Recovery, dict[str, Any]], Any]
    done: str
    then: str = ""
    effect: str = ""


def _decide(by: Actor, on: date, row: Recovery, data: dict[str, Any]) -> Any:
    return commands.decide_recoveries(
        by=by,
        on=on,
        numbers=[row.pk],
        agreed=data["outcome"] == "agree",
        reason=data["reason"],
        instalment_fen=data["instalment"],
    )


ACTS = {
    act.key: act
    for act in (
        Act("decide", "审定追缴", "签名，审定", commands.decide_recoveries,
            lambda by, told: told.row.state == Recovery.State.PROPOSED and told.row.proposed_by != by.appointment, forms.DecideForm, _decide,
            "已审定", "追缴的，打印通知书送达；送达以后才能抵扣。", "同意追缴即记入应收追回款；不追缴的写明查实的情况。"),
        Act("tell", "登记送达", "登记送达", commands.record_told,
            lambda by, told: told.row.state == DECIDED and told.row.told_on is None, forms.TellForm,
            lambda by, on, row, data: commands.record_told(by=by, on=on, number=row.pk, told_on=data["told_on"], how=data["how"]),
            "已登记送达", "县里定了抵扣比例、还在享受同一项目的，从下一份清册起抵扣；其他的凭银行回单登记交款。", "送达以后，才可以从以后的发放中抵扣。"),
        Act("receipt", "登记交款", "登记交款", commands.enter_receipt,
            lambda by, told: told.row.state == DECIDED and told.row.outstanding_fen > 0, forms.ReceiptForm,
            lambda by, on, row, data: commands.enter_receipt(
                by=by, on=on, number=row.pk, amount_fen=data["amount"], paid_on=data["paid_on"], bank_serial=data["serial"]),
            "已登记交款", "由会计或财政复核人员对照银行回单复核后记账。", "对象把钱交到专户，凭银行回单登记；由另一人复核后记账。"),
        Act("write-off", "提出核销", "提出核销", commands.propose_write_off,
            lambda by, told: told.row.state == DECIDED and told.row.outstanding_fen > 0, forms.WriteOffForm,
            lambda by, on, row, data: commands.propose_write_off(
                by=by, on=on, number=row.pk, amount_fen=data["amount"], reason=data["reason"], document_no=data["document"]),
            "已提出核销", "由财政复核人员对照批准文件复核后记账。", "确实追不回来的，凭批准文件核销；由财政复核。"),
    )
}  # fmt: skip


def offered(by: Actor, told: Told) -> list[Act]:
    return [act for act in ACTS.values() if may(by, act.command) and act.fits(by, told)]


POSTS = frozenset().union(*(act.command.posts for act in ACTS.values()))  # type: ignore[attr-defined]

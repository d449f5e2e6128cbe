"""Agreements, complaints, the method and the assessments: proposed by one person, settled by another (PAY-09).

    propose_agreement → settle_agreement → end_agreement       finance; the office of the leading group
    record_complaint → answer_complaint                        whoever is told; finance
    propose_method → settle_method                             finance; the office of the leading group
    assess_bank → settle_assessment                            finance; the office, signed over the digest

The same proposal again is refused while the first waits. Money is not touched: a bank's setting and the payer's accounts are payment's.
"""

from datetime import date
from typing import Any

from huimin.agentbanks.figures import figures_of
from huimin.agentbanks.models import Agreement, Assessment, Complaint, Method, Standing
from huimin.agentbanks.scoring import grade_of, points_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level, chain, scope_prefix
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

PROPOSERS = (Post.FINANCE_OFFICER,)
SETTLERS = (Post.COUNTY_OFFICER,)
RECORDERS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.SETTLEMENT, Post.COUNTY_OFFICER, Post.SUPERVISOR)


class AgreementsOverlap(Refusal):
    """The bank office has another agreement on some of these days."""


class NoMethod(Refusal):
    """The county agreed on no method of assessment."""


class YearNotOver(Refusal):
    """A year is assessed after its last day."""


class NothingMeasured(Refusal):
    """The bank got no batch in the year."""


refused_by_constraint(
    "agreement_never_overlaps", AgreementsOverlap, "这家银行在这段时间已有协议", "请先终止原来的，或改起止日期"
)
refused_by_constraint("agreement_number_once", AlreadyDone, "这个编号的协议已经登记", "请在列表中查看")
refused_by_constraint("bank_complaint_once", AlreadyDone, "这件投诉已经登记", "请在列表中查看")
refused_by_constraint("bank_method_waits", AlreadyDone, "已有一份考评办法等待复核", "请先复核那一份")
refused_by_constraint("bank_method_once", AlreadyDone, "这一天起已有考评办法", "请改施行日期")
refused_by_constraint("bank_assessed_once", AlreadyDone, "这一年已经考评过这家银行", "请在列表中查看")


def _county(by: Actor) -> str:
    return scope_prefix(by.division, Level.COUNTY).ljust(12, "0")


def _bank(office: int) -> Office:
    found = Office.objects.filter(pk=office, kind=OfficeKind.BANK).first()
    if found is None:
        raise BadInput("没有这家代理银行", where="代理银行", remedy="请从列表选择")
    return found


def _said(text: str, where: str, least: int, most: int) -> str:
    text = " ".join(text.split())
    if not least <= len(text) <= most:
        raise BadInput(
            f"{where}要写 {least} 至 {most} 个字", where=where, why=f"写了 {len(text)} 个字", remedy="请补充或缩短"
        )
    return text


@command(*PROPOSERS)
def propose_agreement(
    *, by: Actor, on: date, bank_office: int, number: str, selection: str, signed_on: date, valid_from: date, valid_to: date,
    credit_days: int, services: str,
) -> Agreement:  # fmt: skip
    """Register a signed agreement; in force once another person agreed. `valid_to` is its last day."""
    bank = _bank(bank_office)
    if signed_on > on or valid_to < valid_from:
        raise BadInput(
            "日期前后不对", where="起止日期", why="签订不能晚于今天，到期不能早于生效", remedy="请照协议填写"
        )
    if selection not in Agreement.Selection.values or not 1 <= credit_days <= 30:
        raise BadInput("没有选择方式，或入账天数不在 1 至 30 之间", where="协议内容", remedy="请照协议填写")
    return Agreement.objects.create(
        division=_county(by), bank_office=bank, number=_said(number, "协议编号", 2, 60), selection=selection,
        signed_on=signed_on, valid_from=valid_from, valid_to=date.fromordinal(valid_to.toordinal() + 1), credit_days=credit_days,
        services=_said(services, "约定的服务", 4, 500), proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(*SETTLERS)
def settle_agreement(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> Agreement:
    row: Agreement = _proposed(by, Agreement, number)
    return _settled(row, by, on, agreed, refusal)


@command(*PROPOSERS)
def end_agreement(*, by: Actor, on: date, number: int, last_day: date, reason: str) -> Agreement:
    """End an agreement before its day; again with the same day changes nothing."""
    row = Agreement.objects.select_for_update().filter(pk=number, state=Standing.AGREED).first()
    if row is None:
        raise BadInput("没有这份有效的协议", where="协议", remedy="请从列表进入")
    require_place(by, row.division)
    until = date.fromordinal(last_day.toordinal() + 1)
    if row.ended_by is not None and row.valid_to == until:
        return row
    if not row.valid_from < until <= row.valid_to:
        raise BadInput("终止日期要在协议期内", where="最后一天", remedy=f"请填 {row.valid_from} 以后、到期以前的日期")
    row.valid_to, row.ended_by, row.end_reason = until, by.appointment, _said(reason, "终止原因", 4, 200)
    row.save(update_fields=["valid_to", "ended_by", "end_reason"])
    return row


@command(*RECORDERS)
def record_complaint(
    *, by: Actor, on: date, bank_office: int, kind: str, happened_on: date, words: str
) -> Complaint:  # fmt: skip
    """What somebody says the bank did; no identity numbers, no accounts."""
    bank = _bank(bank_office)
    if kind not in Complaint.Kind.values:
        raise BadInput("没有选事由", where="事由", remedy="请从列表选择")
    if happened_on > on:
        raise BadInput("日期在今天以后", where="什么时候", remedy="请核对日期")
    return Complaint.objects.create(
        division=by.division, bank_office=bank, kind=kind, happened_on=happened_on, words=_said(words, "情况", 4, 500),
        recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip


@command(*PROPOSERS)
def answer_complaint(*, by: Actor, on: date, number: int, upheld: bool, answer: str) -> Complaint:
    """Finance looked into it: true or not, and what was done. Not by who recorded it."""
    row = Complaint.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise BadInput("没有这件投诉", where="投诉", remedy="请从列表进入")
    if row.state != Complaint.State.OPEN:
        raise AlreadyDone(f"这件投诉已核查：{row.get_state_display()}", remedy="请刷新后查看")
    require_another(by, row.recorded_by, "登记投诉")
    row.state = Complaint.State.UPHELD if upheld else Complaint.State.DISMISSED
    row.answer, row.answered_by, row.answered_on = _said(answer, "核查情况", 4, 500), by.appointment, on
    row.save(update_fields=["state", "answer", "answered_by", "answered_on"])
    return row


@command(*PROPOSERS)
def propose_method(
    *, by: Actor, on: date, valid_from: date, timely_points: int, success_points: int, error_points: int, complaint_points: int,
    error_cost: int, complaint_cost: int, good_from: int, pass_from: int, basis: str,
) -> Method:  # fmt: skip
    """The county's method as its document says; the four measures make a hundred points."""
    if timely_points + success_points + error_points + complaint_points != 100 or min(
        timely_points, success_points, error_points, complaint_points, error_cost, complaint_cost
    ) < 0:  # fmt: skip
        raise BadInput("四项分值加起来要是 100", where="分值", remedy="请照考评办法填写")
    if not 1 <= pass_from < good_from <= 100:
        raise BadInput(
            "等次的分数线不对", where="等次", why="合格线要低于优秀线，都在 1 至 100 之间", remedy="请照考评办法填写"
        )
    return Method.objects.create(
        division=_county(by), valid_from=valid_from, timely_points=timely_points, success_points=success_points,
        error_points=error_points, complaint_points=complaint_points, error_cost=error_cost, complaint_cost=complaint_cost,
        good_from=good_from, pass_from=pass_from, basis=_said(basis, "依据", 4, 120), proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(*SETTLERS)
def settle_method(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> Method:
    row: Method = _proposed(by, Method, number)
    return _settled(row, by, on, agreed, refusal)


def method_of(division: str, year: int) -> Method | None:
    """The method in force on the last day of the year at the place or above."""
    rows = Method.objects.filter(
        division__in=chain(division), state=Standing.AGREED, valid_from__lte=date(year, 12, 31)
    )
    return rows.order_by("-division", "-valid_from").first()


@command(*PROPOSERS)
def assess_bank(*, by: Actor, on: date, bank_office: int, year: int, words: str) -> Assessment:
    """Measure a year that is over and give the points the method says; stands once another person signed."""
    bank = _bank(bank_office)
    if on <= date(year, 12, 31):
        raise YearNotOver(
            f"{year} 年还没有过完", why="考评按全年的发放计算", remedy=f"请在 {year + 1} 年 1 月 1 日以后考评"
        )
    method = method_of(by.division, year)
    if method is None:
        raise NoMethod("没有考评办法", why="分值和等次由县里的考评办法规定", remedy="请先登记考评办法，由另一人复核")
    figures = figures_of(bank.pk, year, on)
    if not figures.batches:
        raise NothingMeasured(f"{bank.name} {year} 年没有代发批次", remedy="请核对年份和银行")
    points = points_of(method, figures)
    total = sum(points.values())
    content: dict[str, Any] = {
        "bank_office": bank.pk, "year": year, "method": method.pk, "figures": figures.told(), "points": points, "total": total,
    }  # fmt: skip
    return Assessment.objects.create(
        division=_county(by), bank_office=bank, method=method, year=year, figures=figures.told(), points=points, total=total,
        grade=grade_of(method, total), words=_said(words, "评语", 4, 500), digest=digest(content),
        proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(*SETTLERS)
def settle_assessment(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> Assessment:
    """Sign an assessment, or send it back; a refused one may be made anew."""
    row: Assessment = _proposed(by, Assessment, number)
    if agreed:
        row.signature = sign(
            by=by, on=on, act="审定代理银行考评", subject=f"bank-assessment:{row.pk}", content_digest=row.digest, division=row.division,
        )  # fmt: skip
    return _settled(row, by, on, agreed, refusal, "signature")


def _proposed(by: Actor, model: Any, number: int) -> Any:
    row = model.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise BadInput("没有这一份", where="编号", remedy="请从列表进入")
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出")
    if row.state != Standing.PROPOSED:
        raise AlreadyDone(f"这一份{row.get_state_display()}", remedy="请刷新后查看")
    return row


def _settled(row: Any, by: Actor, on: date, agreed: bool, refusal: str, *more: str) -> Any:
    if not agreed:
        refusal = _said(refusal, "不同意的原因", 2, 200)
    row.state, row.refusal = (Standing.AGREED, "") if agreed else (Standing.REFUSED, refusal)
    row.settled_by, row.settled_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "settled_by", "settled_on", *more])
    return row

"""拨款申请书 of a township for a period and 拨款通知书 of the county: page, workbook and paper of the same rows (FUND-03).

Law: S0 A4 art 20 (the township fills in programmes and amounts by the 15th of the quarter's third month), art 21 (the
county's notice, and the money within five days).
"""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from huimin.divisions.queries import chain_names
from huimin.funds.models import FundingApplication
from huimin.kernel.errors import Refusal
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import Period
from huimin.organisation.queries import names_of_appointments
from huimin.payment.models import Roster
from huimin.payment.tracing import rosters_of_application
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.registers import Cell, Head, Listing, answer_listing

State = FundingApplication.State


@require_safe
@page(guard.PAYERS, reads=False)
def application(request: Any, number: int) -> HttpResponse:
    """What the township asks for the period the application is of, a row a programme's roster."""

    def build(_: bool) -> Listing:
        rosters = rosters_of_application(number)
        rows = [(each, each.application) for each in rosters if each.application]
        found = next(row for _, row in rows if row.pk == number)
        people = names_of_appointments({row.applied_by for _, row in rows})
        late = "，晚于期限" if any(row.applied_on > row.due_on for _, row in rows) else ""
        acts = [("拨款通知书", reverse("application-notice", args=[number]))] if _granted(rows) else []
        return _sheet(
            request.business_date, f"拨款申请书：{_period(rosters[0])}", rosters, rows,
            f"乡镇按签批的清册申请拨付，每季第三个月 15 日前提出（皖政办〔2008〕23号 附件4 第二十条）。期限 {found.due_on}{late}。",
            [Head("申请", paper=22), Head("补贴项目"), Head("清册", paper=26), Head("申请日期", "date", 24), Head("金额（元）", "fen", 30),
             Head("状态", paper=26)],
            [[f"第 {row.pk} 号", _programme(row), _roster(each), row.applied_on, row.amount_fen, row.state_words] for each, row in rows],
            f"填制：{'、'.join(sorted(set(people.values()) - {''}))}", ["乡镇负责人", "财政所负责人", "填制", "日期"], acts, "申请单位",
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.PAYERS, reads=False)
def notice(request: Any, number: int) -> HttpResponse:
    """What the county grants of it: by which indicator, by when, by which order."""

    def build(_: bool) -> Listing:
        rosters = rosters_of_application(number)
        rows = _granted([(each, each.application) for each in rosters if each.application])
        if not rows:
            raise Refusal("还没有核定指标", why="拨款通知书在预留指标以后填发", remedy="请县财政经办先核对并预留指标")
        people = names_of_appointments({row.decided_by for _, row in rows} | {row.released_by for _, row in rows})
        return _sheet(
            request.business_date, f"拨款通知书：{_period(rosters[0])}", rosters, rows,
            "县财政接到申请后填发，5 日内拨入乡镇惠民资金专户（皖政办〔2008〕23号 附件4 第二十一条）。",
            [Head("申请", paper=20), Head("补贴项目"), Head("指标文号", paper=44), Head("金额（元）", "fen", 28), Head("拨付期限", "date", 24),
             Head("划款单", paper=44), Head("拨付", "date", 24)],
            [[f"第 {row.pk} 号", _programme(row),
              Cell(row.allotment.document_no, reverse("indicator", args=[row.allotment_id])) if row.allotment else "—", row.amount_fen,
              row.transfer_due_on, row.transfer_no or "—", row.transferred_on] for _, row in rows],
            f"核定、拨付：{'、'.join(sorted(set(people.values()) - {''}))}", ["单位负责人", "复核", "经办", "日期"],
            [("拨款申请书", reverse("application", args=[number]))], "拨入单位",
        )  # fmt: skip

    return answer_listing(request, build)


Rows = list[tuple[Roster, FundingApplication]]


def _granted(rows: Rows) -> Rows:
    return [(each, row) for each, row in rows if row.state in (State.RESERVED, State.TRANSFERRED)]


def _sheet(
    on: date, title: str, rosters: list[Roster], rows: Rows, lead: str, heads: list[Head], cells: list[list[Any]], who: str,
    seats: list[str], acts: list[tuple[str, str]], whose: str,
) -> Listing:  # fmt: skip
    total = sum(row.amount_fen for _, row in rows)
    county, *rest = chain_names(rosters[0].division, on)[2:] or [""]
    unit = county + "".join(rest)
    return Listing(
        title, lead, "applications", heads, cells, "", lines=[f"{whose}：{unit}　　{_period(rosters[0])}"], unit="金额单位：元",
        seal=unit if whose == "申请单位" else f"{county}财政部门", across=True, totals=False,
        notes=[f"合计 {yuan(total)} 元（{in_words(total)}）。", who], seats=seats, acts=acts, of_people=False,
        figures=[("件", f"{len(rows):,}", ""), ("金额（元）", yuan(total), "")],
    )  # fmt: skip


def _period(roster: Roster) -> str:
    return str(Period(roster.period_from, roster.period_until))


def _programme(row: FundingApplication) -> str:
    return programme_names().get(row.programme, row.programme)


def _roster(roster: Roster) -> Cell:
    return Cell(f"第 {roster.pk} 号", reverse("roster", args=[roster.pk]))

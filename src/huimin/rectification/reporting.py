"""Cases that were dealt with, and what is sent up with its receipt (CASE-10, SUP-07).

in    a case: what kind, who of the offices, what was done, whether it went to discipline inspection; reports by their day
out   TypicalCases; Submissions, frozen with their digest; receipts as they come back

Always true: what was sent is what was there that day, and stays; a report of a kind (and month) is sent once; a month without
cases is reported as such; who was involved stands in no report before the county's own desk has it. Leads about civil affairs
staff go to discipline inspection (日政办发〔2018〕95号 六(四)); cases monthly by the 25th (六(三)); the table by its day (五(四)).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from huimin.divisions.queries import get_division
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import add_months, month_start
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_place,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.rectification.models import Campaign, Item, Phase, Submission, TypicalCase
from huimin.rectification.planning import locked_campaign
from huimin.rectification.summing import summary_table

KEEPERS = (Post.DEPARTMENT_OFFICER, Post.COUNTY_OFFICER)
SENDERS = (Post.DEPARTMENT_APPROVER,)
READERS = frozenset({Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER, Post.SUPERVISOR})
"""Who reads of cases: they name people of the offices."""
Kind, State = Submission.Kind, Campaign.State

refused_by_constraint("typical_case_once", AlreadyDone, "这件案例已经登记", "请从列表进入")
refused_by_constraint("rectification_sent_once", AlreadyDone, "这份材料已经报送", "请从报送页面查看")


@dataclass(frozen=True)
class Told:
    """A case as it was found; `item` when it concerns one on the list."""

    kind: str
    place: str
    found_on: date
    source: str
    involved: str
    position: str
    facts: str
    amount_fen: int | None = None
    item: int | None = None


@command(*KEEPERS)
def enter_case(*, by: Actor, on: date, campaign_id: int, told: Told) -> TypicalCase:
    """A case of favour, relation, error, omission, rotation or worse, with whoever of the offices was involved."""
    campaign = _mine(by, locked_campaign(by, campaign_id, State.OPEN, State.CLOSED))
    if told.kind not in TypicalCase.Kind.values:
        raise BadInput("没有选问题类型", where="问题类型", remedy="请从列表选择")
    place = get_division(told.place, on)
    if not place.code.startswith(campaign.prefix):
        raise BadInput("地方不在整治范围内", where="地方", remedy="请从列表选择")
    for where, text, most in (
        ("线索来源", told.source, 80), ("涉及人员", told.involved, 60), ("单位和职务", told.position, 80), ("案情", told.facts, 1000),
    ):  # fmt: skip
        if not 2 <= len(text.strip()) <= most:
            raise BadInput(f"没有写{where}", where=where, remedy=f"请用 2 至 {most} 个字写明")
    if told.found_on > on:
        raise BadInput(f"{told.found_on} 还没有到", where="发现日期", remedy="请核对日期")
    if told.item and not Item.objects.filter(pk=told.item, campaign=campaign).exists():
        raise BadInput("这一户不在整治名单上", where="户", remedy="请从名单进入")
    if told.amount_fen is not None and told.amount_fen <= 0:
        raise BadInput("金额不成立", where="涉及金额", remedy="请写大于零的金额，没有的不填")
    return TypicalCase.objects.create(
        campaign=campaign, division=campaign.county, place=place.code, item_id=told.item, kind=told.kind,
        found_on=told.found_on, source=told.source.strip(), involved=told.involved.strip(), position=told.position.strip(),
        facts=told.facts.strip(), amount_fen=told.amount_fen, entered_by=by.appointment, entered_on=on,
    )  # fmt: skip


def _mine(by: Actor, campaign: Campaign) -> Campaign:
    if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER):
        for code in campaign.programmes:
            require_programme(by, code)
    return campaign


def _locked_case(by: Actor, number: int) -> TypicalCase:
    row = TypicalCase.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=number).first()
    if row is None:
        raise BadInput("没有这件案例", where="编号", why="不存在，或不由您查阅", remedy="请从列表进入")
    require_place(by, row.division)
    _mine(by, row.campaign)
    return row


@command(*KEEPERS)
def handle_case(*, by: Actor, on: date, case: int, handling: str, exposed_on: date | None = None) -> TypicalCase:
    """What was done about it; whether and when it was made known (通报曝光)."""
    row = _locked_case(by, case)
    if len(handling.strip()) < 4:
        raise BadInput("没有写处理情况", where="处理情况", remedy="请写明对人、对事、对钱各怎么处理")
    if exposed_on is not None and not row.found_on <= exposed_on <= on:
        raise BadInput(f"{exposed_on} 不成立", where="通报日期", remedy="请写发现之后、今天以前的日期")
    row.handling, row.handled_on, row.exposed_on = handling.strip()[:500], on, exposed_on or row.exposed_on
    row.save(update_fields=["handling", "handled_on", "exposed_on"])
    return row


@command(*KEEPERS)
def hand_to_discipline(
    *, by: Actor, on: date, case: int, handed_to: str, handed_no: str, handed_on: date
) -> TypicalCase:
    """The lead went to discipline inspection: to which, under which number, when. Once."""
    row = _locked_case(by, case)
    if row.to_discipline:
        raise AlreadyDone(f"已于 {row.handed_on} 移交{row.handed_to}", remedy="请刷新后查看")
    if len(handed_to.strip()) < 2 or not row.found_on <= handed_on <= on:
        raise BadInput("没有写移交给谁、哪天", where="移交", remedy="请写纪检监察机关名称，和发现之后、今天以前的日期")
    row.to_discipline, row.handed_to, row.handed_no = True, handed_to.strip()[:80], handed_no.strip()[:60]
    row.handed_on = handed_on
    row.save(update_fields=["to_discipline", "handed_to", "handed_no", "handed_on"])
    return row


@dataclass(frozen=True)
class Due:
    """One report that is to be sent up: which, by when; and the row when it was."""

    kind: str
    month: date | None
    due_on: date
    sent: Submission | None = None

    @property
    def title(self) -> str:
        label = Kind(self.kind).label
        return f"{self.month.year}年{self.month.month}月{label}" if self.month else label


def list_due(campaign: Campaign, on: date) -> list[Due]:
    """Every report of the campaign that has begun to be due (from the month's first day on), by day. Two queries."""
    if campaign.opened_on is None:
        return []
    phases = {row.number: row for row in Phase.objects.filter(campaign=campaign)}
    last = campaign.closed_on or max(on, phases[4].ends_on)
    sent = {(row.kind, row.month): row for row in Submission.objects.filter(campaign=campaign)}
    wanted: list[tuple[str, date | None, date]] = []
    month = month_start(phases[1].starts_on)
    while month <= min(last, on):
        wanted.append((Kind.MONTHLY, month, month.replace(day=campaign.report_day)))
        month = add_months(month, 1)
    if campaign.interim_on and on >= phases[2].starts_on:
        wanted.append((Kind.INTERIM, None, campaign.interim_on))
    if on >= phases[4].starts_on:
        wanted.append((Kind.SUMMARY, None, campaign.summary_on))
    rows = [Due(kind, month, due_on, sent.get((kind, month))) for kind, month, due_on in wanted]
    return sorted(rows, key=lambda row: (row.due_on, row.kind))


@command(*SENDERS)
def submit(
    *, by: Actor, on: date, campaign_id: int, kind: str, month: date | None = None, text: str = ""
) -> Submission:
    """Send up what is due: the month's cases, the report of a phase, or the summary table; frozen as it is today."""
    campaign = _mine(by, locked_campaign(by, campaign_id, State.OPEN, State.CLOSED))
    due = next((row for row in list_due(campaign, on) if (row.kind, row.month) == (kind, month)), None)
    if due is None:
        raise BadInput("现在没有这份材料要报", where="报送", remedy="请从报送页面进入")
    if due.sent:
        raise AlreadyDone(f"{due.title}已于 {due.sent.sent_on} 报送", remedy="请刷新后查看")
    if kind != Kind.MONTHLY and len(text.strip()) < 10:
        raise BadInput("没有写总结", where="总结", remedy="请写成效、存在的问题和下一步措施")
    content = _cases_of(campaign, month) if kind == Kind.MONTHLY and month else summary_table(campaign, on).as_content()
    frozen = {
        "kind": kind,
        "month": month.isoformat() if month else "",
        "text": text.strip()[:2000],
        "content": content,
    }
    told = digest(frozen)
    signature = sign(
        by=by,
        on=on,
        act=f"报送{due.title}"[:40],
        subject=campaign.subject,
        content_digest=told,
        division=campaign.division,
    )
    return Submission.objects.create(
        campaign=campaign, division=campaign.county, kind=kind, month=month, due_on=due.due_on,
        text=frozen["text"], content=content, digest=told, sent_by=by.appointment, sent_on=on, sent_to=campaign.sent_to,
        signature=signature,
    )  # fmt: skip


def cases_within(campaign: Campaign, month: date) -> "QuerySet[TypicalCase]":
    """Found in the month."""
    rows = TypicalCase.objects.filter(campaign=campaign, found_on__gte=month, found_on__lt=add_months(month, 1))
    return rows.order_by("found_on", "id")


def _cases_of(campaign: Campaign, month: date) -> dict[str, Any]:
    rows = cases_within(campaign, month)
    return {
        "cases": [
            {
                "kind": row.get_kind_display(), "place": row.place, "found_on": row.found_on.isoformat(), "source": row.source,
                "involved": row.involved, "position": row.position, "facts": row.facts, "amount_fen": row.amount_fen,
                "handling": row.handling, "handed_to": row.handed_to, "handed_no": row.handed_no,
            }
            for row in rows
        ]
    }  # fmt: skip


@command(*SENDERS, *KEEPERS)
def enter_receipt(
    *, by: Actor, on: date, submission: int, receiver: str, received_on: date, received_no: str = ""
) -> Submission:
    """The upper level confirmed that it has it: who, when, under which number."""
    row = Submission.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=submission).first()
    if row is None:
        raise BadInput("没有这份报送", where="编号", why="不存在，或不由您查阅", remedy="请从报送页面进入")
    require_place(by, row.division)
    _mine(by, row.campaign)
    if row.received_on:
        raise AlreadyDone(f"已于 {row.received_on} 收到", remedy="请刷新后查看")
    if len(receiver.strip()) < 2 or not row.sent_on <= received_on <= on:
        raise BadInput("没有写签收单位或日期", where="签收", remedy="请写签收单位，和报送之后、今天以前的日期")
    row.received_on, row.received_no, row.receiver = received_on, received_no.strip()[:60], receiver.strip()[:80]
    row.received_by = by.appointment
    row.save(update_fields=["received_on", "received_no", "receiver", "received_by"])
    return row

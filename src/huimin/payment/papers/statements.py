"""Benefit statements (明白卡): a page for every household of a village, with every programme and amount (PAY-07).

in    a village (12 digits) and a period
out   one PDF, households in the order of their groups and numbers

Terms: a due belongs to the statement of the period it begins in, so that each stands on one statement only. The total
is what is owed in the period (arrears added, recoveries subtracted, withdrawn dues shown but not counted); what the
bank has booked is said beneath. A dozen queries, whatever the village's size. Limit: dues of a household that moved in
from outside the reader's place stay outside. Law: 皖政办〔2008〕23号 附件2 第29条, 附件4 第24条.
"""

from collections import defaultdict
from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.personal import ID_NUMBER, plain
from huimin.divisions.queries import chain_names, get_division
from huimin.kernel.digests import digest
from huimin.kernel.errors import Refusal
from huimin.kernel.masking import mask_identity
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import Period
from huimin.kernel.places import Level, chain
from huimin.organisation.acting import Actor, command, record_event, require_place
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import business_date, live_on
from huimin.payment.models import Due, RosterLine
from huimin.payment.papers.owed import Owed, list_owed
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import code_of, day_in_words, wrappable
from huimin.policy.models import Programme

TITLE = "惠民资金明白卡"
_DEPARTMENTS = (OfficeKind.CIVIL_AFFAIRS, OfficeKind.AGRICULTURE, OfficeKind.WATER)
_PER = {"month": "/月", "quarter": "/季", "half_year": "/半年", "year": "/年", "once": "/次"}


class NothingToPrint(Refusal):
    """There is no paper to make of this."""


def statements_pdf(*, by: Actor, division: str, period: Period, mark: str = "") -> bytes:
    """The statements of village `division`; NotYourPlace, NothingToPrint, NoSuchDivision, NoFonts."""
    content, on = gather_statements(by=by, division=division, period=period)
    return typeset("statement", content, on=on, mark=mark)


@command(
    Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER,
    Post.SUPERVISOR,
)  # fmt: skip
def gather_statements(*, by: Actor, division: str, period: Period) -> tuple[dict[str, Any], date]:
    """What the statements say, and the business date they bear; remembers that they were taken."""
    on = business_date()
    _require_village(by, division, on)
    low, high = scope_of(division)
    asked = {"low": low, "high": high, "on": on, "start": period.start}
    households = fetch(_HOUSEHOLDS, asked)
    if not households:
        raise NothingToPrint("这个村没有登记在册的户", remedy="请核对所选的村")
    dues: dict[int, list[Owed]] = defaultdict(list)
    granted = [entitlement for (entitlement,) in fetch(_GRANTED, asked)]
    for row in list_owed(granted, period):
        dues[row.household].append(row)
    names = dict(Programme.objects.values_list("code", "name"))
    place = "".join(chain_names(division, on)[2:])
    offices = _offices(division, on)
    cards = [_card(household, dues[household[0]], names, place, offices) for household in households]
    for card in cards:
        card["code"] = code_of(digest([on, str(period), card]))
    record_event(by, Event.Kind.EXPORTED, f"statements:{division}", {"period": str(period), "households": len(cards)})
    township = next((each.name for each in offices if each.kind == OfficeKind.TOWNSHIP), by.office_name)
    content = {
        "title": TITLE, "period": f"（{period}）", "issuer": township, "date": day_in_words(on), "cards": cards,
    }  # fmt: skip
    return content, on


def _require_village(by: Actor, division: str, on: date) -> None:
    require_place(by, division)
    if get_division(division, on).level != Level.VILLAGE:
        raise NothingToPrint("明白卡按村打印", remedy="请选择一个村")


def _card(
    household: tuple[Any, ...], dues: list[Owed], names: dict[str, str], place: str, offices: list[Office]
) -> dict[str, Any]:
    _, number, group, head, identity, people = household
    total = sum(row.counted_fen for row in dues)
    paid = sum(row.counted_fen for row in dues if row.due_state == Due.State.PAID)
    return {
        "head": wrappable(head or "") or "（户主待登记）",
        "identity": mask_identity(plain(identity, ID_NUMBER)) if identity else "（待登记）",
        "number": number,
        "people": str(people),
        "place": place + group,
        "rows": [_cells(row, names) for row in dues],
        "total": yuan(total),
        "words": in_words(total) if total >= 0 else "负" + in_words(-total).removeprefix("人民币"),
        "paid": yuan(paid) if paid else "",
        "ask": _where_to_ask(offices, {row.programme: names.get(row.programme, row.programme) for row in dues}),
    }


def _cells(row: Owed, names: dict[str, str]) -> list[str]:
    kind = "" if row.kind == Due.Kind.BASE else f"（{Due.Kind(row.kind).label}）"
    sign = "−" if row.kind == Due.Kind.RECOVERY else ""
    standard = f"¥{yuan(row.standard_fen)}{_PER.get(row.standard_period, '')}"
    return [
        names.get(row.programme, row.programme) + kind,
        wrappable(row.person) or "全户",
        str(Period(row.period_from, row.period_until)),
        f"{wrappable(row.quantity)}\n{standard}" if row.quantity else standard,
        sign + yuan(row.amount_fen),
        _standing(row),
    ]


def _standing(row: Owed) -> str:
    """In the household's words: paid when and where, or what it waits for."""
    place = row.place
    if row.due_state == Due.State.WITHDRAWN:
        return f"不发：{(place and place.withheld_reason) or '已撤销'}，不计入合计"
    if place is None:
        return "没有登记可用的账户，登记后发放" if row.lacks_card else "待编制清册"
    tail = f"\n账户尾号{place.account_tail}" if place.account_tail else ""
    if place.state == RosterLine.State.PAID:
        return f"{place.booked_on} 发放{tail}" if place.booked_on else f"已发放{tail}"
    if place.state == RosterLine.State.RETURNED:
        return f"银行退回，更正账户后重发{tail}"
    if place.state == RosterLine.State.LISTED:
        return f"待发放{tail}"
    return RosterLine.State(place.state).label + tail


def _offices(division: str, on: date) -> list[Office]:
    """The offices of a village, its township and the county, nearest first."""
    there = Office.objects.filter(live_on(on), division__in=chain(division)).exclude(kind=OfficeKind.BANK)
    return list(there.order_by("-level", "id"))


def _where_to_ask(offices: list[Office], programmes: dict[str, str]) -> str:
    """Whom to ask and to object to; only offices that are registered are named, and no telephone is invented."""
    near = [each.name for each in offices if each.kind in (OfficeKind.VILLAGE, OfficeKind.TOWNSHIP)]
    responsible = [
        f"{name}由{each.name}主管"
        for code, name in sorted(programmes.items())
        for each in offices
        if each.kind in _DEPARTMENTS and code in each.programmes
    ]
    ask = f"有疑问或者不同意见的，请向{'或'.join(near) or '所在村、乡镇'}提出。"
    return ask + ("；".join(responsible) + "。" if responsible else "")


_HOUSEHOLDS = """
SELECT h.id, h.household_no, coalesce(g.name, ''), p.name, p.id_number_enc,
       (SELECT count(*) FROM registry_membership m WHERE m.household_id = h.id AND m.recorded_to IS NULL
           AND m.valid_from <= %(on)s AND (m.valid_to IS NULL OR m.valid_to > %(on)s))
FROM registry_household h
LEFT JOIN divisions_division g ON g.code = h.division AND g.level = 15
     AND g.valid_from <= %(on)s AND (g.valid_to IS NULL OR g.valid_to > %(on)s)
LEFT JOIN LATERAL (
    SELECT m.person_id FROM registry_membership m
    WHERE m.household_id = h.id AND m.relation = '户主' AND m.recorded_to IS NULL
      AND m.valid_from <= %(on)s AND (m.valid_to IS NULL OR m.valid_to > %(on)s) ORDER BY m.id LIMIT 1) head ON true
LEFT JOIN registry_person p ON p.id = head.person_id
WHERE h.division >= %(low)s AND h.division < %(high)s AND (h.closed_on IS NULL OR h.closed_on > %(start)s)
ORDER BY h.division, h.household_no
"""

_GRANTED = """
SELECT e.id FROM registry_household h JOIN casework_entitlement e ON e.household_id = h.id
WHERE h.division >= %(low)s AND h.division < %(high)s
"""

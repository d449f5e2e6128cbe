"""The story of a household: every act that changed what is known of it, before → after, by whom (REG-05, SEC-05).

in    a household's id; the change log and the registry's rows, also those no longer known
out   acts, newest first: when, who, with which evidence, and what changed, in the words of the fact dictionary

An act is what one request did. Personal values never appear: of an address or account it is said that it changed.
Runs inside `reading(by)`; acts of upper levels on rows of this place are seen, their names are of posts, not accounts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from huimin.audit.models import Change, Event
from huimin.kernel.facts import FACTS, Fact
from huimin.organisation.acting import Actor
from huimin.organisation.models import Appointment
from huimin.registry.models import (
    Bitemporal,
    Card,
    CardCorrection,
    Household,
    HouseholdFacts,
    Membership,
    Person,
    PersonFacts,
    WorkItem,
)
from huimin.registry.showing import show

ACTS_MAX, CHANGES_MAX = 100, 2000
_FACTS = {fact.code: fact for fact in FACTS}
_WORDS = {
    "division": "区划",
    "closed_on": "注销日期",
    "state": "状态",
    "relation": "与户主关系",
    "name": "姓名",
    "valid_from": "起始",
    "valid_to": "截止",
    "settlement": "处理结果",
    "refusal": "退回原因",
    "address_hash": "住址",
    "phone_hash": "电话",
    "account_hash": "账号",
    "id_number_hash": "证件号码",
}
_ADDED = {
    Household: "户登记",
    HouseholdFacts: "户情登记",
    Person: "成员登记",
    PersonFacts: "人员情况登记",
    Membership: "入户",
    Card: "卡登记",
    CardCorrection: "提出账户更正",
    WorkItem: "待核实事项",
}
_HIDDEN_CHANGE = "已更改"


@dataclass(frozen=True)
class Line:
    """One thing that changed; `before` is empty for something new."""

    label: str
    before: str
    after: str


@dataclass
class Act:
    """What one request did to the household; `since` is the day it holds from in the world."""

    at: datetime
    who: str
    evidence: str = ""
    since: date | None = None
    lines: list[Line] = field(default_factory=list)


def household_timeline(household: int, by: Actor, added: Sequence[Fact] = ()) -> list[Act]:
    """At most a hundred acts, newest first; `added` names the facts the county has besides the dictionary's."""
    words = _FACTS | {fact.code: fact for fact in added}
    rows = _rows(household)
    acts: dict[str, Act] = {}
    for change in _changes(rows):
        act = acts.setdefault(change.request, Act(change.at, str(change.appointment or "")))
        row = rows[change.table_name, change.row_key]
        new = [line for line in _lines(change, row, rows, by, words) if line not in act.lines]
        act.lines += new
        if new and isinstance(row, Bitemporal):
            act.evidence, act.since = row.evidence, row.valid_from
    told = [act for act in acts.values() if act.lines] + list(_looks(rows))
    told.sort(key=lambda act: act.at, reverse=True)
    return _named(told[:ACTS_MAX])


def _rows(household: int) -> dict[tuple[str, str], Any]:
    """Every row of the household and its present and past members, known now or not, by table and key."""
    members = list(Membership.objects.filter(household=household))
    people = {row.person_id for row in members}
    found: list[Any] = [
        *Household.objects.filter(pk=household),
        *HouseholdFacts.objects.filter(household=household),
        *members,
        *Person.objects.filter(pk__in=people),
        *PersonFacts.objects.filter(person__in=people),
        *Card.objects.filter(household=household),
        *CardCorrection.objects.filter(household=household),
        *WorkItem.objects.filter(household=household),
    ]
    return {(row._meta.db_table, str(row.pk)): row for row in found}


def _changes(rows: dict[tuple[str, str], Any]) -> list[Change]:
    by_table: dict[str, list[str]] = {}
    for table, key in rows:
        by_table.setdefault(table, []).append(key)
    found: list[Change] = []
    for table, keys in by_table.items():
        found += Change.objects.filter(table_name=table, row_key__in=keys).order_by("-id")[:CHANGES_MAX]
    return sorted(found, key=lambda change: change.pk)


def _lines(
    change: Change, row: Any, rows: dict[tuple[str, str], Any], by: Actor, words: Mapping[str, Fact]
) -> Iterator[Line]:
    if change.operation == "U":
        yield from _differences(row, change.before or {}, change.after or {}, by, words)
        return
    if isinstance(row, Card) and row.recorded_to is not None:
        return  # the copy of what was known before; the change itself stands on the card's own row
    earlier = _earlier(row, rows) if isinstance(row, Bitemporal) and not isinstance(row, Card) else None
    if earlier is None:
        yield Line(_ADDED[type(row)], "", _naming(row))
    else:
        yield from _differences(row, _values(earlier), _values(row), by, words)


def _earlier(row: Bitemporal, rows: dict[tuple[str, str], Any]) -> Bitemporal | None:
    """The row of the same owner that this one took the place of, on its first day."""
    owner = "household_id" if isinstance(row, HouseholdFacts) else "person_id"
    for other in rows.values():
        if type(other) is type(row) and getattr(other, owner) == getattr(row, owner):
            replaced = other.recorded_to is not None and other.recorded_to == row.recorded_from
            if (
                replaced
                and other.valid_from <= row.valid_from
                and (other.valid_to is None or other.valid_to > row.valid_from)
            ):
                return other  # type: ignore[no-any-return]
    return None


def _values(row: Any) -> dict[str, Any]:
    """Columns as the change log would show them."""
    skipped = {"id", "recorded_from", "recorded_to", "evidence", "reported_by", "valid_from"}
    if isinstance(row, HouseholdFacts | PersonFacts):
        skipped.add("valid_to")  # facts follow each other; that one ends is no news
    fields = (each for each in row._meta.fields if each.attname not in skipped and not each.attname.endswith("_enc"))
    values = {each.attname: getattr(row, each.attname) for each in fields}
    return values | values.pop("added", {})


def _differences(
    row: Any, before: dict[str, Any], after: dict[str, Any], by: Actor, words: Mapping[str, Fact]
) -> Iterator[Line]:
    for name in {**after, **before}:
        old, new = before.get(name), after.get(name)
        if old == new or (name not in words and name not in _WORDS):
            continue
        if name.endswith("_hash"):
            yield Line(_WORDS[name], "", _HIDDEN_CHANGE)
        elif name in words and name != "relation":
            yield Line(words[name].name, show(words[name], old, by).text, show(words[name], new, by).text)
        else:
            yield Line(_WORDS[name], _text(row, name, old), _text(row, name, new))


def _text(row: Any, name: str, value: Any) -> str:
    """In the words of the column's choices, where it has some."""
    return "" if value is None else str(dict(row._meta.get_field(name).flatchoices).get(value, value))


def _naming(row: Any) -> str:
    """What a new row is about, without personal values."""
    if isinstance(row, Household):
        return row.household_no
    if isinstance(row, Person):
        return row.name
    if isinstance(row, Membership):
        return row.relation
    if isinstance(row, Card | CardCorrection):
        return f"尾号 {row.account_tail}"
    if isinstance(row, WorkItem):
        return row.summary
    return f"自 {row.valid_from}"


def _looks(rows: dict[tuple[str, str], Any]) -> Iterator[Act]:
    """Looks at plain values of the household, its people and cards."""
    subjects = []
    for row in rows.values():
        for kind, names in _LOOKED.items():
            if isinstance(row, kind):
                subjects += [f"{name}:{row.pk}" for name in names]
    for event in Event.objects.filter(kind=Event.Kind.LOOKED, subject__in=subjects).order_by("-id")[:ACTS_MAX]:
        line = Line("查看完整信息", "", str(event.detail.get("purpose", "")))
        yield Act(event.at, str(event.appointment or ""), lines=[line])


_LOOKED = {
    Person: ("id_number",),
    Card: ("account",),
    CardCorrection: ("new_account",),
    Household: ("address", "phone"),
    WorkItem: ("work_item",),
}


def _named(acts: list[Act]) -> list[Act]:
    """Appointments by name of office, post and person; what nobody did (an installation) is the system's."""
    numbers = {int(act.who) for act in acts if act.who}
    held = Appointment.objects.filter(pk__in=numbers).select_related("office", "account")
    titles = {str(each.pk): f"{each.office.name} {each.get_post_display()} {each.account.full_name}" for each in held}
    for act in acts:
        act.who = titles.get(act.who, "系统")
    return acts

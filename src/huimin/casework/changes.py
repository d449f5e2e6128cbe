"""Changes of households on their way: reported, entered, confirmed where a policy depends on them (REG-05, DET-06).

in    what changed (registry.commands.changes), since when, on which evidence; who reports, enters, confirms
out   rows of registry.ReportedChange; the registry changed; what it does to entitlements, before anybody confirms it

    report_change (village) ──► enter_change (township) ──► confirm_change (another person) ──► the registry
                                     └─ at once, where no determination and no account depends on it

What a change does is told by doing it: inside a transaction that is undone, the households are explained before and
after (screening.explaining) by the policies of the month that follows, in which a decision of today begins. Entitlements are not touched here: in the
same transaction the households are determined anew (screening.rescreening), and what should change is proposed. Always
true: who confirms did not enter; what was refused or undone changed nothing; a change that touches no benefit proposes nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from huimin.casework.models import Entitlement
from huimin.casework.queries import live_on
from huimin.casework.screening import granted_of, month_after
from huimin.database.paging import SIZE, Page, cut
from huimin.database.personal import PAYLOAD, plain, sealed
from huimin.kernel.digests import canonical, digest
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Fact
from huimin.kernel.money import yuan
from huimin.kernel.places import chain
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.queries import added_facts
from huimin.registry.commands.changes import apply_change, people_named, summary_of
from huimin.registry.commands.families import present
from huimin.registry.models import Card, Household, Person, ReportedChange
from huimin.registry.snapshots import NotRegistered
from huimin.screening.explaining import explain_household
from huimin.screening.models import Run
from huimin.screening.rescreening import has_open_proposals, rescreen

Kind, State = ReportedChange.Kind, ReportedChange.State
ENTERERS = (Post.CLERK, Post.COUNTY_OFFICER)
CONFIRMERS = (Post.REVIEWER, Post.COUNTY_OFFICER)
RECENT_MAX = 1000
SAME_ACT = timedelta(seconds=60)
"""A run that a change began ends shortly before the change is marked as applied."""
_WITHOUT_MONEY = (Kind.FACTS, Kind.BIRTH, Kind.ARRIVAL, Kind.MARRIAGE)
"""Kinds that move no account and take nobody's place: what they do to determinations says all."""
_EVERY = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}

refused_by_constraint("change_needs_two_people", SamePerson, "录入的人不能确认", "请由另一人办理")
refused_by_constraint("change_open_once", AlreadyDone, "同样的变更已经报过，正在办理", "请在变更列表中查看")


@dataclass(frozen=True)
class Told:
    """What somebody says has changed."""

    kind: str
    household: int
    effective_on: date
    evidence: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Effect:
    """What one programme says of a household or person before and after; `who` is empty for the household."""

    programme: str
    name: str
    household_no: str
    who: str
    before: str
    after: str
    before_fen: int
    after_fen: int


class _Undone(Exception):
    """Ends a trial; never leaves this module."""


def effects_of(by: Actor, on: date, told: Told) -> list[Effect]:
    """What the change would do, by doing and undoing it; inside a transaction. Raises what doing it raises."""
    added = added_here(told.household)
    return effects_of_doing(by, on, lambda: _do(by, on, told, added))


def effects_of_doing(by: Actor, on: date, act: Callable[[], tuple[int, ...]]) -> list[Effect]:
    """As `effects_of`, of any act on the registry; `act` returns the households it touches, and is undone."""
    after: dict[tuple[Any, ...], _Said] = {}
    touched: tuple[int, ...] = ()
    try:
        with transaction.atomic():
            touched = act()
            for household in touched:
                after |= _said(by, household, on)
            names = _names(after)
            raise _Undone
    except _Undone:
        pass
    before: dict[tuple[Any, ...], _Said] = {}
    for household in touched:
        before |= _said(by, household, on)
    names |= _names(before)
    return [
        _effect(key, before.get(key), after.get(key), names)
        for key in sorted(before.keys() | after.keys())
        if _words(before.get(key)) != _words(after.get(key))
    ]


def added_here(household: int) -> tuple[Fact, ...]:
    """The facts the household's county has added."""
    found = Household.objects.filter(pk=household).values_list("division", flat=True).first()
    return added_facts(found or "")


@dataclass(frozen=True)
class _Said:
    """One result of an explanation."""

    name: str
    household_no: str
    eligible: bool | None
    amount_fen: int
    period: str
    missing: tuple[str, ...]


def _said(by: Actor, household: int, on: date) -> dict[tuple[Any, ...], _Said]:
    """Results by programme and by person or household; a closed household has none."""
    row = Household.objects.filter(pk=household).first()
    if row is None or (row.closed_on is not None and row.closed_on <= on):
        return {}
    try:
        held = granted_of(household, on)
        told = explain_household(by=by, household_id=household, on=month_after(on), facts_on=on, granted=held)
    except NotRegistered:
        return {}
    found = {}
    for each in told["results"]:
        person = 0 if each["member"] is None else told["members"][each["member"]]
        key = (each["programme"], household if not person else 0, person)
        found[key] = _Said(
            each["name"], row.household_no, each["eligible"], each["amount_fen"], each["period"], tuple(each["missing"])
        )
    return found


def _words(said: _Said | None) -> str:
    if said is None:
        return "不在册"
    if said.eligible is None:
        return "还不能判断，缺" + "、".join(said.missing)
    return f"{_EVERY[said.period]} {yuan(said.amount_fen)} 元" if said.eligible else "不符合"


def _names(said: Mapping[tuple[Any, ...], _Said]) -> dict[int, str]:
    return dict(Person.objects.filter(pk__in={key[2] for key in said}).values_list("pk", "name"))


def _effect(key: tuple[Any, ...], before: _Said | None, after: _Said | None, names: Mapping[int, str]) -> Effect:
    either = before or after
    assert either is not None, "a key of neither side"
    return Effect(
        key[0], either.name, either.household_no, names.get(key[2], ""), _words(before), _words(after),
        before.amount_fen if before and before.eligible else 0, after.amount_fen if after and after.eligible else 0,
    )  # fmt: skip


def of_weight(effects: list[Effect]) -> list[Effect]:
    """Effects a person must confirm: what is not merely "nobody" becoming "not eligible", or the other way round."""
    idle = {"不在册", "不符合"}
    return [each for each in effects if not ({each.before, each.after} <= idle)]


@command(Post.INFORMATION_OFFICER)
def report_change(*, by: Actor, on: date, told: Told) -> ReportedChange:
    """The village officer reports it; what could not be done is refused now. The township enters it."""
    household = _household(by, told.household)
    effects = of_weight(effects_of(by, on, told))
    return _store(
        ReportedChange(reported_by=by.appointment, reported_on=on, state=State.REPORTED), household, told, effects
    )


@command(*ENTERERS)
def enter_change(*, by: Actor, on: date, told: Told, change: int | None = None) -> ReportedChange:
    """Enter it, from a report (`change`) or directly: in force at once, unless money hangs on it; then it waits.

    AlreadyDone when the same was done before; what cannot be done is refused and changes nothing.
    """
    household = _household(by, told.household)
    row = _open(by, change, State.REPORTED) if change else ReportedChange(household=household, kind=told.kind)
    if (row.kind, row.household_id) != (told.kind, household.pk):
        raise BadInput("与上报的不是同一件变更", where="变更", remedy="请从变更列表进入这件变更再录入")
    _refuse_done(told, household)
    effects = of_weight(effects_of(by, on, told))
    row.depends = depends_on(told, effects, on)
    row.entered_by, row.entered_on = by.appointment, on
    row.state = State.ENTERED if row.depends else State.APPLIED
    if not row.depends:
        touched = _do(_reporting(by, row), on, told, added_here(told.household))
        _propose(by, on, touched, effects)
        row.applied_at = timezone.now()
        household.refresh_from_db()
    return _store(row, household, told, effects)


@command(*CONFIRMERS)
def confirm_change(*, by: Actor, on: date, change: int) -> ReportedChange:
    """Another person confirms what was entered; the registry changes now, from the day it holds."""
    row = _open(by, change, State.ENTERED)
    require_another(by, row.entered_by, "录入变更")
    require_another(by, row.reported_by, "上报变更")
    require_not_related(by, on, [row.household_id])
    told = told_of(row)
    effects = of_weight(effects_of(by, on, told))
    row.effects = [asdict(each) for each in effects]
    touched = _do(_reporting(by, row), on, told, added_here(row.household_id))
    _propose(by, on, touched, effects)
    content = {"change": row.pk, "payload": bytes(row.payload_hash).hex(), "effects": row.effects}
    sign(
        by=by, on=on, act="确认变更", subject=f"reported_change:{row.pk}", content_digest=digest(content),
        division=row.division,
    )  # fmt: skip
    row.state, row.confirmed_by, row.confirmed_on = State.APPLIED, by.appointment, on
    row.applied_at = timezone.now()
    row.save(update_fields=["state", "confirmed_by", "confirmed_on", "applied_at", "effects"])
    return row


@command(Post.CLERK, *CONFIRMERS)
def refuse_change(*, by: Actor, on: date, change: int, refusal: str) -> ReportedChange:
    """It is not registered, for a reason whoever reported it is told. A clerk refuses reports, a reviewer entries."""
    row = _open(by, change, State.REPORTED if by.post == Post.CLERK else State.ENTERED, State.ENTERED)
    require_not_related(by, on, [row.household_id])
    if len(refusal.strip()) < 2:
        raise BadInput("没有不予登记的原因", where="原因", remedy="请写明原因，上报的人会看到")
    row.state, row.refusal = State.REFUSED, refusal.strip()[:200]
    row.confirmed_by, row.confirmed_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "confirmed_by", "confirmed_on"])
    return row


def told_of(row: ReportedChange) -> Told:
    """What was reported, in plain; whoever shows it masks it."""
    payload = json.loads(plain(row.payload_enc, PAYLOAD))
    return Told(row.kind, row.household_id, row.effective_on, row.evidence, payload)


def _do(by: Actor, on: date, told: Told, added: tuple[Fact, ...]) -> tuple[int, ...]:
    return apply_change(
        by=by, on=on, kind=told.kind, household=told.household, payload=told.payload, effective_on=told.effective_on,
        evidence=told.evidence, added=added,
    )  # fmt: skip


def _propose(by: Actor, on: date, touched: tuple[int, ...], effects: list[Effect]) -> None:
    """What the change does to entitlements, and to what was proposed before it, is proposed now."""
    held = Entitlement.objects.filter(live_on(month_after(on)), household__in=touched)
    if effects or has_open_proposals(touched) or held.exists():
        rescreen(by, on, touched, granted_of)


def _reporting(by: Actor, row: ReportedChange) -> Actor:
    """Rows of the registry name who reported; the change log and the signature name who acts."""
    return replace(by, appointment=row.reported_by or row.entered_by or by.appointment)


def _household(by: Actor, number: int) -> Household:
    found = Household.objects.select_for_update().filter(pk=number).first()
    if found is None:
        raise NotRegistered("没有这一户", why="不存在，或不在您的辖区内", remedy="请从名单中重新选择")
    require_place(by, found.division)
    return found


def _open(by: Actor, change: int, *states: str) -> ReportedChange:
    row = ReportedChange.objects.select_for_update().filter(pk=change).first()
    if row is None:
        raise NotRegistered("没有这件变更", why="不存在，或不在您的辖区内", remedy="请从变更列表进入")
    require_place(by, row.division)
    if row.state not in states:
        raise AlreadyDone(f"这件变更{row.get_state_display()}", remedy="请刷新后查看")
    return row


def _refuse_done(told: Told, household: Household) -> None:
    """The same event twice is one; facts may change back and forth."""
    if told.kind in (Kind.FACTS, Kind.IDENTITY):
        return
    hashed = sealed(canonical(told.payload).decode(), PAYLOAD)[1]
    same = ReportedChange.objects.filter(
        household=household, kind=told.kind, effective_on=told.effective_on, payload_hash=hashed, state=State.APPLIED
    )
    if found := same.first():
        raise AlreadyDone(f"这件变更已于 {found.confirmed_on or found.entered_on} 生效", remedy="不必再录，请刷新查看")


def depends_on(told: Told, effects: list[Effect], on: date) -> str:
    """Why another person must confirm it; empty when nothing hangs on it."""
    if effects:
        names = list(dict.fromkeys(each.name for each in effects))
        return ("影响" + "、".join(names))[:120]
    if told.kind in _WITHOUT_MONEY or (told.kind == Kind.MOVE and not told.payload.get("away")):
        return ""
    whole = told.kind in (Kind.HEAD, Kind.JOIN, Kind.MOVE)
    people = list(present(told.household)) if whole else people_named(told.payload)
    if Card.objects.filter(holder__in=people, recorded_to=None, state=Card.State.ACTIVE).exists():
        return f"{Kind(told.kind).label}，名下有收款账户"
    if Entitlement.objects.filter(live_on(on), person__in=people).exists():
        return f"{Kind(told.kind).label}，正在享受待遇"
    return ""


def _store(row: ReportedChange, household: Household, told: Told, effects: list[Effect]) -> ReportedChange:
    names = dict(Person.objects.filter(pk__in=people_named(told.payload)).values_list("pk", "name"))
    row.household, row.division, row.kind = household, household.division, told.kind
    row.effective_on, row.evidence = told.effective_on, told.evidence.strip()[:120]
    row.summary = summary_of(told.kind, told.payload, names, added_here(household.pk))
    row.payload_enc, row.payload_hash = sealed(canonical(told.payload).decode(), PAYLOAD)
    row.effects = [asdict(each) for each in effects]
    row.save(update_fields=ReportedChange.changeable if row.pk else None)
    return row


# -- reads, inside reading(by)


@dataclass(frozen=True)
class ChangeFilter:
    """Which changes: beneath `prefix`, of a kind, in a state, of one household."""

    prefix: str
    kind: str = ""
    state: str = ""
    household: int | None = None


def list_changes(wanted: ChangeFilter, place: str = "", size: int = SIZE) -> Page[ReportedChange]:
    """A page, the newest first."""
    rows = ReportedChange.objects.filter(division__gte=wanted.prefix, division__lt=wanted.prefix + "~")
    for name in ("kind", "state", "household"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    return cut(rows.select_related("household"), ("-id",), place, size)


def count_waiting(prefix: str, state: str) -> int:
    return ReportedChange.objects.filter(division__gte=prefix, division__lt=prefix + "~", state=state).count()


def list_changes_of(household: int, rows_max: int = 20) -> list[ReportedChange]:
    """Of one household, newest first."""
    return list(ReportedChange.objects.filter(household=household).order_by("-id")[:rows_max])


def count_unscreened(prefix: str) -> int:
    """Changes in force that touch entitlements and that no screening of their place has seen."""
    rows = ReportedChange.objects.filter(division__gte=prefix, division__lt=prefix + "~", state=State.APPLIED).exclude(
        effects=[]
    )
    latest: dict[str, Any] = {}
    anew: dict[int, Any] = {}
    for run in Run.objects.filter(state=Run.State.FINISHED).exclude(versions={}).order_by("id"):
        if run.only is None:
            latest[run.division] = run.known_at
        else:
            anew |= dict.fromkeys(run.only, run.finished_at)
    applied = rows.order_by("-id").values_list("household", "division", "applied_at")[:RECENT_MAX]
    return sum(
        not (household in anew and anew[household] >= at - SAME_ACT)
        and not any(latest[place] > at for place in chain(division) if place in latest)
        for household, division, at in applied
    )

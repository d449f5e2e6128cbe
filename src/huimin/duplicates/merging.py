"""Making two records one: proposed by one person, confirmed by another, with what it does shown before (REG-04, SEC-02).

in    the record that stays (survivor), the one that goes (absorbed), whose value stays for each field that differs
out   the absorbed record closed and leading to the survivor; what hung on it moved or ended; every changed row traced

    propose_merge ──► confirm_merge (another person)          carry_out: identity · home · facts · cards and papers ·
           └────────► refuse_merge                                        entitlements · pairs

Nothing is changed by a proposal: what a merge does is told by doing and undoing it. Confirmed, it happens in one
transaction, signed over what was told, and `tracing` keeps the rows it touched so that `separating` can play them back.
Always true: the past stays as it was known; frozen rows (lines, notices, decisions) keep the record they were made for;
money on its way stops a merge; the absorbed record holds nothing live (guards of the database).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from django.db.models import Q

from huimin.cases.models import Case, CaseLine
from huimin.casework.changes import Effect, effects_of_doing, of_weight
from huimin.casework.models import Entitlement, Relief
from huimin.duplicates import entitling, tracing
from huimin.duplicates.commands import JUDGES, UNJUDGED
from huimin.duplicates.comparing import ABSORBED, SURVIVOR, Side, fact_values, fields_of, side_of
from huimin.duplicates.homes import Home, alone, settle_home
from huimin.duplicates.models import Merge, Overpaid, Pair
from huimin.duplicates.papers import close_household, hindering_changes, move_papers
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import common_place
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
from huimin.payment.models import Recovery
from huimin.policy.queries import programme_names
from huimin.registry.bitemporal import Span, end, revise
from huimin.registry.models import ELSEWHERE, CardCorrection, Membership, Person, PersonFacts
from huimin.registry.queries import holding
from huimin.registry.snapshots import NotRegistered
from huimin.screening.models import Proposal

State = Merge.State
CONFIRMERS = (Post.REVIEWER, Post.COUNTY_OFFICER, Post.DEPARTMENT_APPROVER)


class StillHindered(Refusal):
    """Something of the two records is under way and must end first."""


class HoldsLiveRows(Refusal):
    """A merged record would hold something in force."""


refused_by_constraint("merge_once", AlreadyDone, "这份档案已有并档在办理或已经并入", "请在并档列表中查看")
refused_by_constraint("merge_needs_two_people", SamePerson, "提出并档的人不能确认", "请由另一人办理")
refused_by_constraint("separation_needs_two_people", SamePerson, "提出拆分的人不能确认", "请由另一人办理")
refused_by_constraint("merged_holds_nothing", HoldsLiveRows, "这份档案已并入另一份", "请在保留的档案上办理")
refused_by_constraint("overpaid_once", AlreadyDone, "多发的应发已经列出", "请刷新后查看")


@dataclass(frozen=True)
class Wish:
    """What somebody wants: who stays, who goes, whose value stays where they differ, and new heads by household."""

    survivor: int
    absorbed: int
    choices: Mapping[str, str] = field(default_factory=dict)
    new_heads: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""

    def whose(self, code: str) -> str:
        return self.choices.get(code, SURVIVOR)


@dataclass
class Told:
    """What a merge does: sentences, effects on determinations, dues paid twice, obstacles."""

    lines: list[str] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    twice: list[entitling.Twice] = field(default_factory=list)

    @property
    def overpaid_fen(self) -> int:
        return sum(each.amount_fen for each in self.twice)

    def stored(self) -> dict[str, Any]:
        twice = [
            asdict(each) | {"period_from": str(each.period_from), "period_until": str(each.period_until)}
            for each in self.twice
        ]
        return {"lines": self.lines, "effects": [asdict(each) for each in self.effects], "twice": twice}


def preview(by: Actor, on: date, wish: Wish) -> Told:
    """What it would do, by doing and undoing it; raises what doing it raises. Inside a transaction."""
    told = Told()

    def act() -> tuple[int, ...]:
        nonlocal told
        told, touched = carry_out(by, on, wish, "试并")
        return touched

    effects = effects_of_doing(by, on, act)
    told.effects = of_weight(effects)
    return told


@command(*JUDGES)
def propose_merge(*, by: Actor, on: date, wish: Wish, pair: int | None = None) -> Merge:
    """Propose it; what could not be done is refused now, and nothing changes until another person confirms."""
    if len(wish.reason.strip()) < 2:
        raise BadInput("没有写明为什么是同一人", where="依据", remedy="请写明核实的证件和经过")
    survivor, absorbed = _locked(by, wish)
    require_unrelated(by, on, survivor, absorbed)
    row = _pair_of(survivor, absorbed, pair)
    told = preview(by, on, wish)
    return Merge.objects.create(
        division=common_place(survivor.division, absorbed.division), pair=row, survivor=survivor, absorbed=absorbed,
        choices=dict(wish.choices), new_heads=dict(wish.new_heads), told=told.stored(), reason=wish.reason.strip()[:200],
        proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(*CONFIRMERS)
def confirm_merge(*, by: Actor, on: date, merge: int) -> Merge:
    """Another person confirms: the two records are one from now on. Told anew, since things may have changed."""
    row = locked_merge(by, merge, State.PROPOSED)
    require_another(by, row.proposed_by, "提出并档")
    require_unrelated(by, on, row.survivor, row.absorbed)
    wish = wish_of(row)
    told = preview(by, on, wish)
    mark = tracing.mark()
    done, _ = carry_out(replace(by, appointment=row.proposed_by), on, wish, f"并档 {row.pk}")
    done.effects = told.effects
    _list_overpaid(row, done)
    _close_pairs(by, on, row)
    tracing.keep(row, mark, by.request)
    row.told = done.stored() | {"marks": tracing.newest(row)}
    content = {"merge": row.pk, "survivor": row.survivor_id, "absorbed": row.absorbed_id, "told": done.stored()}
    row.signature = sign(
        by=by, on=on, act="确认并档", subject=f"merge:{row.pk}", content_digest=digest(content), division=row.division
    )
    row.state, row.decided_by, row.decided_on = State.CONFIRMED, by.appointment, on
    row.save(update_fields=["state", "decided_by", "decided_on", "signature", "told"])
    return row


@command(*CONFIRMERS)
def refuse_merge(*, by: Actor, on: date, merge: int, refusal: str) -> Merge:
    """They stay two records, for a reason that who proposed it reads; the pair waits again."""
    row = locked_merge(by, merge, State.PROPOSED)
    require_another(by, row.proposed_by, "提出并档")
    if len(refusal.strip()) < 2:
        raise BadInput("没有不予并档的原因", where="原因", remedy="请写明原因，提出的人会看到")
    row.state, row.refusal = State.REFUSED, refusal.strip()[:200]
    row.decided_by, row.decided_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "decided_by", "decided_on"])
    return row


def carry_out(by: Actor, on: date, wish: Wish, evidence: str) -> tuple[Told, tuple[int, ...]]:
    """Do it; what was done, and the households it touched. Raises and leaves nothing done otherwise."""
    survivor, absorbed = _locked(by, wish)
    left, right = side_of(survivor, on), side_of(absorbed, on)
    _require_choices(by, wish, left, right)
    _require_nothing_under_way(wish, left, right)
    told = Told()
    facts = _facts_to_take(wish, left, right)
    _close(on, wish, survivor, absorbed, told)
    home = settle_home(by, on, left, right, wish.whose("membership") == ABSORBED, wish.new_heads, evidence)
    told.lines += home.told
    _take_facts(by, on, survivor, absorbed, facts, evidence, told)
    told.twice = entitling.paid_twice(survivor, absorbed, home.stays, home.ended)
    told.lines += entitling.settle(on, survivor, absorbed, home.stays, home.ended)
    told.lines += move_papers(by, on, left, right, home, wish.whose("card") == ABSORBED, evidence)
    for ended in home.ended:
        told.lines += close_household(by, on, ended, home.stays, evidence)
    return told, _touched(home)


def _touched(home: Home) -> tuple[int, ...]:
    return tuple(dict.fromkeys(household.pk for household in home.touched))


def require_unrelated(by: Actor, on: date, *people: Person) -> None:
    """Recused when a near relative of who acts lives with one of them (REG-10)."""
    homes = Membership.objects.filter(holding(on), person__in=people).values_list("household_id", flat=True)
    require_not_related(by, on, list(homes))


def wish_of(row: Merge) -> Wish:
    return Wish(row.survivor_id, row.absorbed_id, row.choices, row.new_heads, row.reason)


def _locked(by: Actor, wish: Wish) -> tuple[Person, Person]:
    """Both records, locked by rising id; neither merged, the survivor alive, both in the place of `by`."""
    if wish.survivor == wish.absorbed:
        raise BadInput("是同一份档案", where="保留的档案", remedy="请选择两份不同的档案")
    rows = {
        row.pk: row
        for row in Person.objects.select_for_update(of=("self",))
        .filter(pk__in=[wish.survivor, wish.absorbed])
        .order_by("pk")
    }
    if len(rows) != 2:
        raise NotRegistered("没有这个人", why="不存在，或不在您的辖区内", remedy="跨乡镇的由县惠民办办理")
    for row in rows.values():
        require_place(by, row.division)
        if row.merged_into_id is not None:
            raise AlreadyDone(f"{row.name}的这份档案已并入另一份", remedy="请刷新后查看")
    if rows[wish.survivor].closed_on is not None:
        raise StillHindered("保留的档案已注销", remedy="请保留在册的那一份")
    return rows[wish.survivor], rows[wish.absorbed]


def _require_choices(by: Actor, wish: Wish, left: Side, right: Side) -> None:
    """Every field that both say differently has somebody's choice, and no other."""
    asked = {each.code: each.label for each in fields_of(by, left, right) if each.choosable}
    for code, value in wish.choices.items():
        if value not in (SURVIVOR, ABSORBED):
            raise BadInput("请选择保留哪一份的内容", where=asked.get(code, code), remedy="两份之中选一份")
    missing = [label for code, label in asked.items() if code not in wish.choices]
    if missing:
        raise BadInput("没有选择：" + "、".join(missing), where="逐项选择", remedy="两份不一致的，每一项选保留哪一份")


def _require_nothing_under_way(wish: Wish, left: Side, right: Side) -> None:
    """Money on its way, accounts being corrected, emergencies and changes of the absorbed record end first."""
    touched = [right.person] + ([left.person] if ABSORBED in (wish.whose("membership"), wish.whose("card")) else [])
    ending = [side.membership.household_id for side in (left, right) if side.person in touched and alone(side)]
    granted = Entitlement.objects.filter(Q(person__in=touched) | Q(household__in=ending, person=None))
    own = Q(entitlement__in=list(granted.values_list("pk", flat=True)))
    if lines := entitling.lines_in_flight(Q(person__in=touched) | Q(payee__in=touched) | own):
        names = programme_names()
        where = "、".join(dict.fromkeys(f"{names[each.programme]}（{each.get_state_display()}）" for each in lines))
        raise StillHindered(
            f"还有没办结的发放：{where}", why="钱在路上时不能并档", remedy="请等这一期发放（重发）办结后再并"
        )
    open_ones = CardCorrection.objects.filter(holder__in=touched)
    if open_ones.filter(Q(state="proposed") | Q(new_card__state="pending", new_card__recorded_to=None)).exists():
        raise StillHindered("账户更正还没有办结", remedy="请先审核或停止账户更正")
    if Relief.objects.filter(person__in=touched, state=Relief.State.RECORDED).exists():
        raise StillHindered("急难救助还没有审批", remedy="请先办结急难救助")
    owing = Recovery.objects.filter(Q(person__in=touched) | Q(household__in=ending, person=None))
    if owing.filter(state__in=(Recovery.State.PROPOSED, Recovery.State.DECIDED)).exists():
        raise StillHindered("有追缴还没有结清", why="追缴只从同一对象的发放中抵扣", remedy="请先审定、结清或核销")
    if _cases_under_way(Q(person__in=touched) | Q(household__in=ending)):
        raise StillHindered("有申请或名单还没有办结", remedy="请先办结或撤回；在名单上的，请先从名单剔除")
    if hindering_changes([left, right]):
        raise StillHindered("有变更涉及这两份档案，还没有办结", remedy="请先确认或退回变更")


def _cases_under_way(own: Q) -> bool:
    """An application of theirs, or a list on which they stand, that is not decided yet."""
    under_way = (Case.State.ASKED, Case.State.PAPERS, Case.State.OPEN)
    proposed = list(Proposal.objects.filter(own, state=Proposal.State.OPEN).values_list("pk", flat=True))
    listed = CaseLine.objects.filter(proposal__in=proposed, left_out="", case__state__in=under_way)
    return Case.objects.filter(own, state__in=under_way).exists() or listed.exists()


def _facts_to_take(wish: Wish, left: Side, right: Side) -> dict[str, Any]:
    """Facts of the absorbed record that hold for the survivor: chosen, or known only there."""
    values: dict[str, Any] = {}
    added: dict[str, Any] = {}
    for fact, mine, other in fact_values(left, right):
        if other is None or mine == other:
            continue
        if mine is None or wish.whose(f"fact:{fact.code}") == ABSORBED:
            own = fact.code not in ELSEWHERE and hasattr(PersonFacts, fact.code)
            stored = other if own or right.facts is None else right.facts.added[fact.code]
            (values if own else added)[fact.code] = stored
    return values | ({"added": added} if added else {})


def _take_facts(
    by: Actor, on: date, survivor: Person, absorbed: Person, facts: dict[str, Any], evidence: str, told: Told
) -> None:
    survivor.refresh_from_db()
    if facts:
        owner = {"person_id": survivor.pk}
        revise(PersonFacts, owner, Span(on), facts, by=by, division=survivor.division, evidence=evidence)
        told.lines.append(f"{len(facts) - ('added' in facts) + len(facts.get('added', {}))} 项情况照被并的档案")
    end(PersonFacts, {"person_id": absorbed.pk}, on)


_PERSONAL = ("name", "name_pinyin")
_NUMBERED = ("id_number_enc", "id_number_hash", "sex", "birth_date")


def _close(on: date, wish: Wish, survivor: Person, absorbed: Person, told: Told) -> None:
    """The absorbed record is closed and leads to the survivor; name and number change places where they were chosen."""
    absorbed.closed_on = absorbed.closed_on or on
    absorbed.merged_into = survivor
    absorbed.save(update_fields=["closed_on", "merged_into"])
    if wish.whose("name") == ABSORBED:
        exchange(survivor, absorbed, _PERSONAL)
        told.lines.append(f"姓名用{survivor.name}")
    if wish.whose("identity") == ABSORBED:
        exchange(survivor, absorbed, _NUMBERED)
        told.lines.append("证件号码、性别、出生日期用被并档案的；原号码仍能查到这个人")


def exchange_back(row: Merge) -> None:
    """What `_close` exchanged, changed back; both are locked."""
    for code, names in (("name", _PERSONAL), ("identity", _NUMBERED)):
        if row.choices.get(code) == ABSORBED:
            exchange(row.survivor, row.absorbed, names)


def exchange(one: Person, other: Person, names: tuple[str, ...]) -> None:
    """`one` living, `other` closed: a number stands at one living record only, so the closed one may hold any."""
    for name in names:
        mine, theirs = getattr(one, name), getattr(other, name)
        setattr(one, name, theirs)
        setattr(other, name, mine)
    one.save(update_fields=list(names))
    other.save(update_fields=list(names))


def _pair_of(survivor: Person, absorbed: Person, pair: int | None) -> Pair | None:
    """The pair these two are, judged or not; one that was named must be theirs and unjudged."""
    ids = sorted((survivor.pk, absorbed.pk))
    row = Pair.objects.select_for_update().filter(first=ids[0], second=ids[1]).first()
    if pair is not None and (row is None or row.pk != pair):
        raise BadInput("这两份档案不是所选的一对", where="档案", remedy="请从查重列表进入")
    if row is not None and row.state not in UNJUDGED:
        raise AlreadyDone(f"这一对{row.get_state_display()}", remedy="请刷新后查看")
    return row


def _close_pairs(by: Actor, on: date, row: Merge) -> None:
    """This pair is merged; other pairs of the absorbed record are no more."""
    judged = {"judged_by": by.appointment, "judged_on": on}
    Pair.objects.filter(pk=row.pair_id).update(state=Pair.State.MERGED, judgement=row.reason, **judged)
    others = Pair.objects.filter(Q(first=row.absorbed_id) | Q(second=row.absorbed_id), state__in=UNJUDGED)
    others.update(state=Pair.State.LAPSED)


def _list_overpaid(row: Merge, told: Told) -> None:
    Overpaid.objects.bulk_create(
        Overpaid(
            merge=row, division=each.division, entitlement_id=each.entitlement, due_id=each.due, programme=each.programme,
            period_from=each.period_from, period_until=each.period_until, amount_fen=each.amount_fen,
        )
        for each in told.twice
    )  # fmt: skip


def locked_merge(by: Actor, merge: int, *states: str) -> Merge:
    row = Merge.objects.select_for_update(of=("self",)).filter(pk=merge).select_related("survivor", "absorbed").first()
    if row is None:
        raise NotRegistered("没有这件并档", why="不存在，或不在您的辖区内", remedy="跨乡镇的由县惠民办办理")
    require_place(by, row.division)
    if row.state not in states:
        raise AlreadyDone(f"这件并档{row.get_state_display()}", remedy="请刷新后查看")
    return row

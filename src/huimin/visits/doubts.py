"""Doubts (疑点): what was found is not what the household declared; it answers before anybody goes on (VER-02).

in    differences to the registry, told with a visit; the household's answer with its evidence
out   Doubts: open until they are confirmed or refuted; a change report that carries confirmed facts into the registry

Always true: what is registered is read when the doubt is raised and stays beside what was found; what is the same is no
doubt; a refuted doubt names the paper that refutes it; a confirmed fact is changed by a change report of casework, never here.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from huimin.casework.changes import ENTERERS, Told, added_here, enter_change, report_change
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS, Entity, Fact
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.registry.added import require_fits
from huimin.registry.commands.attachments import keep_attachment
from huimin.registry.commands.facts import locked_household
from huimin.registry.commands.families import present
from huimin.registry.models import ELSEWHERE, HouseholdFacts, PersonFacts, ReportedChange
from huimin.registry.queries import holding
from huimin.visits.findings import Differs, storable
from huimin.visits.models import Doubt, ProofLetter, Visit

SETTLERS = (
    Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER, Post.SUPERVISOR,
    Post.COUNTY_OFFICER,
)  # fmt: skip
"""Posts that hear what the household says to a doubt."""
State = Doubt.State
BY_OTHER_CHANGES = (*ELSEWHERE, "death_date", "moved_out_date")
"""Facts that come from a change of their own kind, never from what a visit found."""


def facts_here(household: int) -> dict[str, Fact]:
    """By code: those of the dictionary and those the county added."""
    return {fact.code: fact for fact in (*FACTS, *added_here(household)) if fact.code not in BY_OTHER_CHANGES}


def raise_doubts(on: date, source: Visit | ProofLetter, differs: Sequence[Differs]) -> list[Doubt]:
    """One row for each difference that is one; inside the command that records the visit or the answer."""
    known, members = facts_here(source.household_id), present(source.household_id)
    origin = {"visit": source} if isinstance(source, Visit) else {"letter": source}
    found: dict[tuple[int | None, str, str], Doubt] = {}
    for each in differs:
        what = each.what.strip()[:300]
        if each.fact:
            fact = _fact(each, known, members)
            require_fits(each.found, fact)
            registered = registered_value(source.household_id, each.person, fact, on)
            if storable(registered) == storable(each.found):
                continue
            values = {"registered": storable(registered), "found": storable(each.found)}
        else:
            if len(what) < 4:
                raise BadInput("没有写有什么疑点", where="疑点", remedy="请写明申报的和看到的有什么不同")
            values = {}
        found[each.person, each.fact, what] = Doubt(
            **origin, division=source.division, household_id=source.household_id, case_id=source.case_id,
            person_id=each.person, fact=each.fact, what=what, raised_on=on, **values,
        )  # fmt: skip
    return Doubt.objects.bulk_create(found.values())


def _fact(each: Differs, known: dict[str, Fact], members: Any) -> Fact:
    fact = known.get(each.fact)
    if fact is None:
        raise BadInput(f"没有“{each.fact}”这项信息", where="差异", remedy="请从列表选择")
    if (fact.entity is Entity.PERSON) != (each.person is not None):
        raise BadInput(f"{fact.name}要写明是谁的", where="差异", remedy="请从这一户的成员中选择")
    if each.person is not None and each.person not in members:
        raise BadInput("这个人不在这一户", where="差异", remedy="请从这一户的成员中选择")
    return fact


def registered_value(household: int, person: int | None, fact: Fact, on: date) -> Any:
    """What is registered now, in the system's form; None when it was never asked."""
    rows: Any = (
        HouseholdFacts.objects.filter(holding(on), household=household)
        if person is None
        else PersonFacts.objects.filter(holding(on), person=person)
    )
    row = rows.first()
    if row is None:
        return None
    return getattr(row, fact.code) if hasattr(row, fact.code) else row.added.get(fact.code)


@command(*SETTLERS)
def settle_doubt(
    *, by: Actor, on: date, doubt_id: int, confirmed: bool, answer: str, evidence: str = "", content: bytes = b"",
    file_name: str = "",
) -> Doubt:  # fmt: skip
    """What the household says to it: so it is, or not so, with the paper that shows it; each once."""
    row = _locked(by, doubt_id)
    if row.state != State.OPEN:
        raise AlreadyDone(f"这条疑点已{row.get_state_display()}", remedy="请刷新后查看")
    require_not_related(by, on, [row.household_id])
    answer, evidence = answer.strip()[:500], evidence.strip()[:120]
    if len(answer) < 4:
        raise BadInput("没有写申请人怎么说", where="申请人的说明", remedy="请照本人说的写要点")
    if not confirmed and (len(evidence) < 2 or not content):
        raise BadInput("排除疑点没有凭据", where="凭据", remedy="请写材料名称，并上传扫描件或照片")
    row.state = State.CONFIRMED if confirmed else State.REFUTED
    row.answer, row.evidence, row.settled_by, row.settled_on = answer, evidence, by.appointment, on
    if content:
        home = locked_household(by, row.household_id)
        title = f"疑点说明：{evidence or '申请人材料'}"[:80]
        row.attachment = keep_attachment(by, on, home, title=title, file_name=file_name, content=content)
    row.save(update_fields=["state", "answer", "evidence", "attachment", "settled_by", "settled_on"])
    return row


def to_change(rows: Iterable[Doubt]) -> list[Doubt]:
    """Confirmed facts that no living change carries into the registry."""
    return [
        row
        for row in rows
        if row.state == State.CONFIRMED
        and row.fact
        and (row.change is None or row.change.state == ReportedChange.State.REFUSED)
    ]


def told_of(rows: Sequence[Doubt], effective_on: date, evidence: str) -> Told:
    """The change report that says what was found, of one household."""
    household: dict[str, Any] = {}
    people: dict[str, dict[str, Any]] = {}
    for row in rows:
        part = household if row.person_id is None else people.setdefault(str(row.person_id), {})
        part[row.fact] = row.found
    payload = {"household": household, "people": people, "new": []}
    return Told(ReportedChange.Kind.FACTS, rows[0].household_id, effective_on, evidence, payload)


@command(Post.INFORMATION_OFFICER, *ENTERERS)
def report_found(*, by: Actor, on: date, doubts: Sequence[int], effective_on: date, evidence: str) -> ReportedChange:
    """Confirmed doubts of one household go into a change report of casework, by the post's own command; linked to it."""
    rows = list(
        Doubt.objects.select_for_update(of=("self",))
        .filter(pk__in=list(doubts))
        .select_related("change")
        .order_by("id")
    )
    if not rows or len(to_change(rows)) != len(set(doubts)) or len({row.household_id for row in rows}) != 1:
        raise AlreadyDone("这些疑点没有要办的变更", why="还没有查实，或已经办理", remedy="请刷新后查看")
    require_not_related(by, on, [rows[0].household_id])
    told = told_of(rows, effective_on, evidence)
    act = report_change if by.post == Post.INFORMATION_OFFICER else enter_change
    made = act(by=by, on=on, told=told)
    Doubt.objects.filter(pk__in=[row.pk for row in rows]).update(change=made)
    return made


def _locked(by: Actor, doubt_id: int) -> Doubt:
    row = Doubt.objects.select_for_update(of=("self",)).filter(pk=doubt_id).select_related("visit").first()
    if row is None or (row.visit and row.visit.state == Visit.State.VOID):
        raise BadInput("没有这条疑点", where="疑点", why="不存在、调查已作废，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, row.division)
    return row

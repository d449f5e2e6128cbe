"""How often, and what counts as unsteady: the law's numbers, and the county's own where it set them (CASE-09, SEC-02).

in    a number, what it rests on; another person who puts it in force
out   `Settings` of a place on a day: months by programme, what makes a household half-yearly, days and months

Always true: nobody confirms what he proposed; the nearest place's newest number in force counts, else the law's. The law
does not say which income is unsteady: all three readings count until the county narrows them with a paper of its own.
民发〔2021〕57号 第31、34条; 伊民规〔2022〕2号 二(二)2; 民政部等四部门 2022-10-20 通知 (three months after a death).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourProgramme,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.rechecks.models import RecheckRule

Code, State = RecheckRule.Code, RecheckRule.State
PROPOSERS = (Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
CONFIRMERS = (Post.COUNTY_OFFICER, Post.DEPARTMENT_APPROVER)
DIBAO = ("dibao-rural", "dibao-urban", "dibao-single")
LAW_57 = "民发〔2021〕57号第31条"
LAW_YICHUN = "伊民规〔2022〕2号 二(二)2"
LAW_WORK = "民发〔2021〕57号第34条"
LAW_DEATH = "民政部等四部门 2022-10-20 通知"
DEATH_SINCE = date(2022, 10, 20)

# Place (the beginning of its code), from when, programmes, months of the steady and of the others, the paper.
_FREQUENCIES: tuple[tuple[str, date, tuple[str, ...], int, int, str], ...] = (
    ("", date(2021, 7, 1), DIBAO, 12, 6, LAW_57),
    ("2307", date(2022, 6, 6), (*DIBAO, "dibao-marginal", "tekun"), 12, 6, LAW_YICHUN),
)
_BOUNDS = {
    Code.STABLE: (1, 36), Code.UNSTABLE: (1, 24), Code.BUSINESS: (0, 1), Code.OTHER: (0, 1), Code.CASUAL: (0, 1),
    Code.PARTLY: (0, 1), Code.SOON: (0, 180), Code.CUT: (1, 100), Code.CUT_DAYS: (0, 60), Code.DEATH: (1, 12),
}  # fmt: skip
PER_PROGRAMME = (Code.STABLE, Code.UNSTABLE)
_SILENT = {Code.BUSINESS: 1, Code.OTHER: 1, Code.CASUAL: 1, Code.PARTLY: 0, Code.SOON: 30, Code.CUT_DAYS: 0}

refused_by_constraint("recheck_rule_waits", AlreadyDone, "这一项已提出，在等复核", "请先复核那一条")
refused_by_constraint("recheck_rule_two_people", AlreadyDone, "提出的人不能复核", "请由另一人办理")


@dataclass(frozen=True)
class Frequency:
    """Months between re-checks of a programme: of the steady, of the others; and what says so."""

    stable: int
    unstable: int
    basis: str


@dataclass(frozen=True)
class Settings:
    """What holds at a place on a day. `cut` None: the decision says how much; `death` None: no months are set."""

    frequencies: Mapping[str, Frequency]
    numbers: Mapping[str, int]
    basis: Mapping[str, str]

    def number(self, code: str) -> int:
        return self.numbers[code]

    @property
    def cut(self) -> int | None:
        return self.numbers.get(Code.CUT)

    @property
    def death(self) -> int | None:
        return self.numbers.get(Code.DEATH)


def settings_of(division: str, on: date) -> Settings:
    """In force at a place on a day; one query; inside `reading(by)` or a command."""
    rows = RecheckRule.objects.filter(division__in=chain(division), state=State.CONFIRMED, settled_on__lte=on)
    newest: dict[tuple[str, str], RecheckRule] = {}
    for row in rows.order_by("division", "id"):  # the nearest place and the newest row come last
        newest[row.programme, row.code] = row
    numbers, basis = dict(_SILENT), dict.fromkeys(_SILENT, "没有规定，按系统的起始值")
    if on >= DEATH_SINCE:
        numbers[Code.DEATH], basis[Code.DEATH] = 3, LAW_DEATH
    for (_, code), row in newest.items():
        if code not in PER_PROGRAMME:
            numbers[Code(code)], basis[Code(code)] = row.value, row.basis
    return Settings(_frequencies(division, on, newest), numbers, basis)


def _frequencies(division: str, on: date, newest: dict[tuple[str, str], RecheckRule]) -> dict[str, Frequency]:
    """Those of the law, nearest place last; then the county's own, for one programme before for all."""
    found: dict[str, Frequency] = {}
    for place, since, programmes, stable, unstable, basis in _FREQUENCIES:
        if division.startswith(place) and on >= since:
            found |= dict.fromkeys(programmes, Frequency(stable, unstable, basis))
    own = {programme for programme, code in newest if programme and code in PER_PROGRAMME}
    for programme in sorted(found.keys() | own):
        law = found.get(programme)
        rows = {code: newest.get((programme, code)) or newest.get(("", code)) for code in PER_PROGRAMME}
        stable, unstable = rows[Code.STABLE], rows[Code.UNSTABLE]
        if stable or unstable:
            first = stable.value if stable else law.stable if law else 12
            second = unstable.value if unstable else law.unstable if law else first
            papers = dict.fromkeys(row.basis for row in (stable, unstable) if row)
            found[programme] = Frequency(first, min(first, second), "；".join(papers))
    return found


@command(*PROPOSERS)
def propose_rule(
    *, by: Actor, on: date, code: str, value: int, basis: str, programme: str = ""
) -> RecheckRule:  # fmt: skip
    """The county's number, with the paper it rests on; in force once another person confirmed it."""
    if code not in Code.values:
        raise BadInput("没有这一项设置", where="设置", remedy="请从列表选择")
    low, high = _BOUNDS[Code(code)]
    if not low <= value <= high:
        raise BadInput("数值超出范围", where=Code(code).label, remedy=f"请填写 {low} 至 {high}")
    if len(basis.strip()) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明文件名和文号")
    if programme and code not in PER_PROGRAMME:
        raise BadInput("这一项不分项目", where="项目", remedy="请不选项目")
    _require_office(by, programme)
    place = scope_prefix(by.division, Level.COUNTY).ljust(12, "0")
    return RecheckRule.objects.create(
        division=place, programme=programme, code=code, value=value, basis=basis.strip()[:120],
        proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


def _require_office(by: Actor, programme: str) -> None:
    """Civil affairs and the county's own office; a department for its own programmes."""
    if by.post == Post.COUNTY_OFFICER:
        return
    if programme not in by.programmes if programme else not set(by.programmes) & {*DIBAO}:
        raise NotYourProgramme("复核的规定不由您的部门提出或确认", remedy="请由民政部门或惠民办办理")


@command(*CONFIRMERS)
def settle_rule(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> RecheckRule:
    """The second person: in force from today, or not, and why."""
    row = RecheckRule.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise BadInput("没有这一条", where="设置", remedy="请从列表进入")
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出规定")
    _require_office(by, row.programme)
    if row.state != State.PROPOSED:
        raise AlreadyDone(f"这一条{row.get_state_display()}", remedy="请刷新后查看")
    if not agreed and len(refusal.strip()) < 2:
        raise BadInput("没有写不同意的原因", where="原因", remedy="请写明原因")
    row.state, row.refusal = (State.CONFIRMED, "") if agreed else (State.REFUSED, refusal.strip()[:200])
    row.settled_by, row.settled_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "settled_by", "settled_on"])
    return row


# -- reads, inside reading(by)


def list_rules(division: str, rows_max: int = 100) -> list[RecheckRule]:
    """What was proposed at the place or above it, the newest first."""
    return list(RecheckRule.objects.filter(division__in=chain(division)).order_by("-id")[:rows_max])


def count_waiting_rules(by: Actor) -> int:
    """Proposed by somebody else and not yet confirmed."""
    rows = RecheckRule.objects.filter(division__in=chain(by.division), state=State.PROPOSED)
    return rows.exclude(proposed_by=by.appointment).count()

"""Faults of real life in the registry, seeded and counted, so that screening has something to find (REG-04).

in    a finished draft, names and identity numbers
out   the draft with faults in it, each noted with its rows; rows of people the loader must refuse

Always true: every null a fact has in the tables was made here and is counted; a fault's rows are exactly those it was
done to; no household is chosen for two faults about missing facts. Shares are assumptions: large enough to be met in
a sample of 20,000, small enough (under 1 % of households with a missing fact) that screening decides nearly everyone.
"""

from dataclasses import dataclass

import numpy as np

from huimin.demo.population.chance import Bools, Chance, Ints, between, share_of, some
from huimin.demo.population.draft import FEN, NO_DATE, TABLE_OF, Draft, code_of, day_number, whole_yuan
from huimin.demo.population.families import Role
from huimin.demo.population.naming import Names
from huimin.demo.population.numbers import Text
from huimin.demo.population.people import PAYROLL_FROM_AGE, RETIREMENT, WORKING_AGE
from huimin.demo.population.standing import Standing
from huimin.demo.population.tables import Fault

# Assumptions: shares of people, households, or of those named.
DEAD_SHARE = 0.0015
DEAD_FROM_AGE = 55
DEAD_DAYS_AGO = (20, 900)
MOVED_OUT_SHARE = 0.001
MOVED_DAYS_AGO = (30, 1_500)
LISTED_TWICE_SHARE = 0.001
LISTED_TWICE_AGES = (22, 45)  # married, and still in the parents' booklet
CAR_AMONG_POOR_SHARE = 0.05
CAR_AMONG_POOR_FEN = (45_000 * FEN, 160_000 * FEN)
PAYROLL_AMONG_POOR_SHARE = 0.03
GROWN = 18  # may move out on their own


@dataclass(frozen=True)
class Missing:
    """A kind of household or person nobody asked for some facts: `share` of those it could be."""

    name: str
    label: str
    facts: tuple[str, ...]
    share: float


MISSING = (
    Missing("unknown_income", "经营收入未采集", ("business_income_year",), 0.002),
    Missing("unknown_land", "承包和种植面积未采集", ("contract_land_mu", "sown_land_mu"), 0.0015),
    Missing("unknown_deposits", "存款未核对", ("deposits",), 0.001),
    Missing("unknown_wage", "工资未采集", ("wage_month",), 0.0006),
    Missing("unknown_disability", "残疾等级未采集", ("disability_grade",), 0.0002),
    Missing("unknown_migrant_date", "移民登记日期未采集", ("migrant_since",), 0.012),
)


def add_faults(draft: Draft, standing: Standing, names: Names, identity: Text, chance: Chance) -> None:
    """All faults of people and households, in an order in which a later one does not undo an earlier one."""
    _list_twice(draft, names, identity, chance)
    _leave_the_dead(draft, chance)
    _leave_the_moved(draft, chance)
    _give_cars_to_the_poor(draft, standing, chance)
    _pay_the_poor(draft, standing, chance)
    _forget_facts(draft, chance)


def _list_twice(draft: Draft, names: Names, identity: Text, chance: Chance) -> None:
    """A wife listed also as the daughter of another household, hers before she married: one name, one number.

    The daughter's name goes to the wife, because it is her father's; the wife's number and birth to the daughter.
    """
    rng, families = chance.stream("listed twice"), draft.families
    women = (draft.age >= LISTED_TWICE_AGES[0]) & (draft.age <= LISTED_TWICE_AGES[1]) & ~families.male
    wed_at_home = np.append(families.role[1:] == Role.CHILDS_SPOUSE, False)
    daughters = np.flatnonzero(women & (families.role == Role.CHILD) & ~wed_at_home)
    wives = np.flatnonzero(women & (families.role == Role.SPOUSE))
    rows, others = _match(families.birth_day, some(rng, daughters, share_of(LISTED_TWICE_SHARE, len(women))), wives)
    names.put(others, names.take(rows))
    identity[rows] = identity[others]
    families.birth_day[rows] = families.birth_day[others]
    _recall_migration(draft, rows)
    draft.note_fault(Fault("listed_twice", "同一人在两户", "people", rows, others))


def _match(birth_day: Ints, rows: Ints, candidates: Ints) -> tuple[Ints, Ints]:
    """Pairs of a row and a candidate born about the same day, each candidate once; rows without one fall out."""
    ordered = candidates[np.argsort(birth_day[candidates], kind="stable")]
    at = np.minimum(np.searchsorted(birth_day[ordered], birth_day[rows]), len(ordered) - 1)
    _, kept = np.unique(at, return_index=True)
    kept.sort()
    return rows[kept], ordered[at[kept]]


def _recall_migration(draft: Draft, rows: Ints) -> None:
    """A changed birth date may lie after the registration of the household's migrants."""
    late = rows[draft.people["migrant_since"][rows] < draft.families.birth_day[rows]]
    draft.people["reservoir_migrant"][late] = False
    draft.people["migrant_since"][late] = NO_DATE


def _leave_the_dead(draft: Draft, chance: Chance) -> None:
    """Old people who died and are still members, their pension still drawn; some of them lived alone."""
    rng = chance.stream("dead")
    old = np.flatnonzero(draft.age >= DEAD_FROM_AGE)
    rows = some(rng, old, share_of(DEAD_SHARE, len(draft.age)))
    ago = between(rng, *DEAD_DAYS_AGO, len(rows)).astype(np.int64)
    draft.people["death_date"][rows] = day_number(draft.as_of) - ago
    draft.people["wage_month"][rows] = 0
    draft.people["employed"][rows] = False
    draft.people["fiscal_payroll"][rows] = False
    draft.note_fault(Fault("dead_listed", "已死亡仍在册", "people", rows))
    alive = draft.any_by_household(draft.people["death_date"] == NO_DATE)
    draft.note_fault(Fault("dead_household", "全户已死亡仍在册", "households", np.flatnonzero(~alive)))


def _leave_the_moved(draft: Draft, chance: Chance) -> None:
    """Grown members who moved their registration elsewhere and are still listed."""
    rng, people = chance.stream("moved"), draft.people
    could = (draft.families.role != Role.HEAD) & (draft.age >= GROWN) & (people["death_date"] == NO_DATE)
    rows = some(rng, np.flatnonzero(could), share_of(MOVED_OUT_SHARE, len(could)))
    ago = between(rng, *MOVED_DAYS_AGO, len(rows)).astype(np.int64)
    people["moved_out_date"][rows] = day_number(draft.as_of) - ago
    draft.note_fault(Fault("moved_out_listed", "已迁出仍在册", "people", rows))


def _give_cars_to_the_poor(draft: Draft, standing: Standing, chance: Chance) -> None:
    """A car nobody declared, in a household under the line."""
    rng, mine = chance.stream("cars of the poor"), draft.households
    poor = np.flatnonzero(standing.poor & (mine["vehicles"] == 0))
    rows = some(rng, poor, share_of(CAR_AMONG_POOR_SHARE, len(poor)))
    mine["vehicles"][rows] = 1
    mine["vehicle_value"][rows] = whole_yuan(between(rng, *CAR_AMONG_POOR_FEN, len(rows)))
    draft.note_fault(Fault("car_in_poor", "低收入户有机动车", "households", rows))


def _pay_the_poor(draft: Draft, standing: Standing, chance: Chance) -> None:
    """A member on the fiscal payroll in a household under the line, whose wage stays undeclared."""
    rng, people = chance.stream("payroll of the poor"), draft.people
    could = standing.poor[draft.families.household] & (draft.age >= PAYROLL_FROM_AGE) & (draft.age < RETIREMENT)
    could &= (people["death_date"] == NO_DATE) & (people["moved_out_date"] == NO_DATE)
    could &= people["labour"] == code_of("labour", "有")
    wanted = share_of(PAYROLL_AMONG_POOR_SHARE, int(standing.poor.sum()))
    rows = some(rng, np.flatnonzero(could), wanted)
    people["fiscal_payroll"][rows] = True
    draft.note_fault(Fault("payroll_in_poor", "低收入户有财政供养人员", "people", rows))


def _forget_facts(draft: Draft, chance: Chance) -> None:
    """Facts nobody asked for; one kind to a household at most."""
    untouched = np.ones(len(draft.families.size), bool)
    for kind in MISSING:
        of_people = TABLE_OF[kind.facts[0]] == "people"
        free = untouched[draft.families.household] if of_people else untouched
        could = _could_miss(draft, kind)
        rng = chance.stream(kind.name)
        rows = some(rng, np.flatnonzero(could & free), share_of(kind.share, int(could.sum())))
        for fact in kind.facts:
            draft.forget(fact, rows)
        untouched[draft.families.household[rows] if of_people else rows] = False
        table = "people" if of_people else "households"
        draft.note_fault(Fault(kind.name, kind.label, table, rows))


def _could_miss(draft: Draft, kind: Missing) -> Bools:
    """Rows in which the fact matters: a farmer's land, a grown person's wage, a migrant's date."""
    rows = len(draft.families.size if TABLE_OF[kind.facts[0]] == "households" else draft.age)
    could: Bools = np.ones(rows, bool)
    if kind.name == "unknown_land":
        could = draft.households["hukou"] == code_of("hukou", "农业")
    if kind.name == "unknown_wage":
        could = (draft.age >= WORKING_AGE) & (draft.age < RETIREMENT)
    if kind.name == "unknown_migrant_date":
        could = draft.people["reservoir_migrant"].astype(bool)
    return could

"""Make the population: each room of the package writes its part, in the order of cause and effect.

in    how many people, a seed, the divisions file, the day
out   a `Population`

Always true: the same (people, seed, divisions, day) gives the same tables, byte for byte, on one version of NumPy.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from huimin.demo.population import cards, faults, holdings, lives, people, standing
from huimin.demo.population.chance import Bools, Chance, Ints, happens
from huimin.demo.population.draft import CHOICES, NO_DATE, Draft, code_of
from huimin.demo.population.families import Families, Role, draw_families
from huimin.demo.population.naming import Names, draw_names
from huimin.demo.population.numbers import Text, as_text, identity_numbers, phone_numbers
from huimin.demo.population.places import County, place_households, read_county
from huimin.demo.population.rejects import rejects_table
from huimin.demo.population.tables import Population
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.kernel.places import Level

PEOPLE_MIN, PEOPLE_MAX = 500, 1_000_000
NO_PHONE_SHARE = 0.03  # assumption: mostly old people alone
DEMO_DAY = date(2021, 6, 25)
EARLIEST_DAY = date(2017, 1, 1)
INVENTED = "虚构，不属于任何人"
"""Stands in the metadata of every table with numbers that look like somebody's."""

ARROW_TYPES = {
    Kind.INT: pa.int64(),
    Kind.MONEY: pa.int64(),
    Kind.AREA: pa.int64(),
    Kind.DATE: pa.date32(),
    Kind.FLAG: pa.bool_(),
    Kind.CHOICE: pa.dictionary(pa.int8(), pa.string()),
}

_RELATION = {
    Role.HEAD: ("户主", "户主"),
    Role.SPOUSE: ("配偶", "配偶"),
    Role.CHILD: ("子", "女"),
    Role.CHILDS_SPOUSE: ("其他", "其他"),
    Role.GRANDCHILD: ("孙", "孙"),
    Role.PARENT: ("父母", "父母"),
    Role.GRANDPARENT: ("祖父母", "祖父母"),
    Role.SIBLING: ("兄弟姐妹", "兄弟姐妹"),
}
"""How the household register calls a role, for a man and for a woman."""


def generate(people: int, seed: int, divisions_csv: Path, as_of: date = DEMO_DAY) -> Population:
    """The sample county with `people` listed members; BadInput when the number or the divisions will not do."""
    if not PEOPLE_MIN <= people <= PEOPLE_MAX:
        raise BadInput(
            f"不能生成 {people:,} 人的样本县",
            where="PEOPLE",
            remedy=f"请取 {PEOPLE_MIN:,} 至 {PEOPLE_MAX:,} 之间的人数",
        )
    assert as_of >= EARLIEST_DAY, "migrants were registered until after that day"
    chance = Chance(people, seed)
    families = draw_families(people, as_of, chance)
    county = read_county(divisions_csv, len(families.size), chance)
    places = place_households(county, chance)
    draft = _draft(families, county, places["village"].to_numpy(), as_of)
    names = draw_names(families, draft.birth_year, chance)
    identity = identity_numbers(families.birth_day, families.male)
    worth = _live(draft, chance)
    faults.add_faults(draft, worth, names, identity, chance)
    issued = cards.issue_cards(draft, chance)
    return Population(
        people_count=people,
        seed=seed,
        as_of=as_of,
        groups=_groups(county),
        households=_households(draft, county, places, chance),
        people=_people(draft, names, identity),
        cards=cards.cards_table(draft, issued),
        bank_accounts=cards.bank_table(draft, issued, names, identity, chance),
        rejects=rejects_table(draft, places["household_no"], names, chance),
        faults=draft.faults,
    )


# The bank's words for our card states: to a bank, a card reported lost is an account that takes nothing in.
_BANK_STATES = {"active": "normal", "lost": "frozen"}


def write_bank_accounts(population: Population, path: Path) -> None:
    """CSV (UTF-8, header account,name,id_number,kind,state) as the bank simulator opens accounts from."""
    table = population.bank_accounts
    states = pa.array([_BANK_STATES.get(state, state) for state in table["state"].to_pylist()], pa.string())
    plain = table.select(["account", "name", "id_number"])
    plain = plain.append_column("kind", pa.array(["person"] * table.num_rows)).append_column("state", states)
    options = pyarrow.csv.WriteOptions(quoting_style="none", quoting_header="none")
    pyarrow.csv.write_csv(plain, path, options)


def _draft(families: Families, county: County, village: Ints, as_of: date) -> Draft:
    townships = np.array([code[: Level.TOWNSHIP] for code in county.townships])
    return Draft(as_of, families, urban=county.urban[village], township=townships[village])


def _live(draft: Draft, chance: Chance) -> standing.Standing:
    """Every fact of people and households, as it really is."""
    people.draw_health(draft, chance)
    worth = standing.draw_standing(draft, chance)
    people.draw_work(draft, worth, chance)
    people.draw_pensions(draft, worth, chance)
    people.draw_circumstances(draft, chance)
    people.draw_migrants(draft, chance)
    holdings.draw_land(draft, len(draft.age), chance)
    holdings.draw_belongings(draft, worth, chance)
    holdings.draw_incomes(draft, chance)
    holdings.draw_expenses(draft, chance)
    standing.steer_incomes(draft, worth)
    lives.draw_lives(draft, chance)
    return worth


def _groups(county: County) -> pa.Table:
    parents = [code[: Level.VILLAGE] for code in county.group_codes]
    columns = {"code": county.group_codes, "name": county.group_names, "parent": parents}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _households(draft: Draft, county: County, places: dict[str, pa.Array], chance: Chance) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "household_no": places["household_no"],
        "division": places["division"],
        "village": pa.array(county.codes).take(places["village"]),
        "head": pa.array(draft.families.first[:-1]),
        "address": places["address"],
        "phone": _phones(len(draft.families.size), chance),
    }
    columns |= {fact.code: _column(fact, draft.households, draft, len(draft.families.size)) for fact in HOUSEHOLD_FACTS}
    return pa.table(columns, metadata={"phone": INVENTED})


def _phones(count: int, chance: Chance) -> pa.Array:
    """Invented numbers, null for a household that has none."""
    without = happens(chance.stream("phones"), NO_PHONE_SHARE, count)
    numbers = as_text(phone_numbers(np.arange(count)))
    return pc.if_else(pa.array(without), pa.scalar(None, pa.string()), numbers)


def _people(draft: Draft, names: Names, identity: Text) -> pa.Table:
    families = draft.families
    known = draft.people | {
        "sex": np.where(families.male, code_of("sex", "男"), code_of("sex", "女")),
        "birth_date": families.birth_day,
        "relation": _relations(families),
    }
    columns: dict[str, pa.Array] = {
        "household": pa.array(families.household),
        "name": names.text(),
        "id_number": as_text(identity),
    }
    columns |= {fact.code: _column(fact, known, draft, len(families.role)) for fact in PERSON_FACTS}
    return pa.table(columns, metadata={"id_number": INVENTED})


def _relations(families: Families) -> Ints:
    of_role = np.array([[code_of("relation", word) for word in _RELATION[role]] for role in Role])
    codes: Ints = of_role[families.role, (~families.male).astype(np.int64)]
    return codes


def _column(fact: Fact, drawn: dict[str, Ints], draft: Draft, count: int) -> pa.Array:
    """The fact's column in its Arrow type, null where nobody asked; a fact that was not drawn was not surveyed."""
    if fact.code not in drawn:
        return pa.nulls(count, ARROW_TYPES[fact.kind])
    values = drawn[fact.code]
    unknown: Bools = draft.unknown.get(fact.code, np.zeros(count, bool))
    if fact.kind is Kind.DATE:
        none = unknown | (values == NO_DATE)
        return pa.array(np.where(none, 0, values).astype(np.int32), pa.date32(), mask=none)
    if fact.kind is Kind.FLAG:
        return pa.array(values.astype(bool), pa.bool_(), mask=unknown)
    if fact.kind is Kind.CHOICE:
        codes = pa.array(values.astype(np.int8), mask=unknown)
        return pa.DictionaryArray.from_arrays(codes, pa.array(CHOICES[fact.code]))
    assert fact.kind in (Kind.INT, Kind.MONEY, Kind.AREA), f"the generator knows no {fact.kind}"
    return pa.array(values.astype(np.int64), mask=unknown)

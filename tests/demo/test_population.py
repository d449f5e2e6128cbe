"""REG-01, REG-04: the sample county has the shapes of a real one, and exactly the faults it says it has."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from huimin.demo.population import Population, generate, write_bank_accounts
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS
from huimin.kernel.identity import BadIdentityNumber, parse_identity

DIVISIONS = Path(__file__).parents[2] / "data" / "divisions.csv"
PEOPLE, SEED = 20_000, 2021
EVENT_DATES = {"migrant_since", "death_date", "moved_out_date"}
LINE_FEN = 65_000


@pytest.fixture(scope="module")
def county() -> Population:
    return generate(PEOPLE, SEED, DIVISIONS)


def column(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy(zero_copy_only=False)


def ages(county: Population) -> np.ndarray:
    born = county.people["birth_date"].cast(pa.int32()).to_numpy()
    return ((county.as_of - date(1970, 1, 1)).days - born) / 365.2425


def tables(county: Population) -> dict[str, pa.Table]:
    names = ("groups", "households", "people", "cards", "bank_accounts", "rejects")
    return {name: getattr(county, name) for name in names}


def test_one_seed_makes_one_county(county: Population) -> None:
    again, other = generate(PEOPLE, SEED, DIVISIONS), generate(PEOPLE, SEED + 1, DIVISIONS)
    assert all(table.equals(tables(again)[name]) for name, table in tables(county).items())
    assert {name: fault.rows.tolist() for name, fault in county.faults.items()} == {
        name: fault.rows.tolist() for name, fault in again.faults.items()
    }
    assert not county.people.equals(other.people)


def test_tables_hold_every_fact(county: Population) -> None:
    assert county.households.column_names[6:] == [fact.code for fact in HOUSEHOLD_FACTS]
    assert county.people.column_names[3:] == [fact.code for fact in PERSON_FACTS]
    assert county.people.num_rows == PEOPLE


def test_households_are_families(county: Population) -> None:
    house, relation = column(county.people, "household"), column(county.people, "relation")
    head = column(county.households, "head")
    assert (np.diff(house) >= 0).all() and len(np.unique(house)) == len(head)
    assert (relation[head] == "户主").all() and (relation == "户主").sum() == len(head)
    assert (house[head] == np.arange(len(head))).all()
    assert 2.5 <= PEOPLE / len(head) <= 2.9
    assert max(Counter(house[relation == "配偶"]).values()) == 1


def test_couples_and_generations_fit(county: Population) -> None:
    house, relation, sex = (column(county.people, name) for name in ("household", "relation", "sex"))
    age, head = ages(county), column(county.households, "head")[house]
    spouse = relation == "配偶"
    assert (sex[spouse] != sex[head[spouse]]).all()
    assert age[spouse | (relation == "户主")].min() >= 18
    children = np.isin(relation, ("子", "女"))
    assert (age[head[children]] - age[children]).min() >= 17
    assert (age[relation == "父母"] - age[head[relation == "父母"]]).min() >= 17
    assert ((sex == "男") == (relation == "子"))[children].all()
    grandchildren = relation == "孙"
    assert (age[head[grandchildren]] - age[grandchildren]).min() >= 34


@pytest.mark.parametrize(
    ("low", "high", "percent"), [(0, 15, 17.49), (15, 60, 60.51), (60, 200, 22.0), (65, 200, 16.52)]
)
def test_ages_are_near_the_census(county: Population, low: int, high: int, percent: float) -> None:
    age = ages(county)
    assert ((age >= low) & (age < high)).mean() * 100 == pytest.approx(percent, abs=2.0)


def test_villages_are_real_and_numbers_count_up(county: Population) -> None:
    with DIVISIONS.open(encoding="utf-8") as file:
        real = {row["code"] for row in csv.DictReader(file) if row["level"] == "村"}
    groups = set(county.groups["code"].to_pylist())
    for number, division, village in zip(
        *(county.households[name].to_pylist() for name in ("household_no", "division", "village")), strict=True
    ):
        assert village in real and number.startswith(village + "-") and len(number) in (17, 18)
        assert division == village or division in groups
    assert set(county.groups["parent"].to_pylist()) <= real
    assert len(set(county.households["household_no"].to_pylist())) == county.households.num_rows
    assert len(set(county.households["village"].to_pylist())) == 232


def test_identity_numbers_are_valid_and_agree(county: Population) -> None:
    rows = zip(*(county.people[name].to_pylist() for name in ("id_number", "birth_date", "sex")), strict=True)
    for number, born, sex in rows:
        identity = parse_identity(number, today=county.as_of)
        assert (identity.region, identity.birth_date, identity.sex) == ("341599", born, sex)


def test_only_the_counted_are_listed_twice(county: Population) -> None:
    numbers, names = column(county.people, "id_number"), column(county.people, "name")
    fault, house = county.faults["listed_twice"], column(county.people, "household")
    assert fault.count > 5 and len(set(numbers)) == PEOPLE - fault.count
    assert (numbers[fault.rows] == numbers[fault.others]).all() and (names[fault.rows] == names[fault.others]).all()
    assert (house[fault.rows] != house[fault.others]).all()


def test_rejects_are_all_refused(county: Population) -> None:
    assert county.rejects.num_rows == county.faults["bad_identity"].count
    assert len(set(county.rejects["problem"].to_pylist())) == 5
    for number in county.rejects["id_number"].to_pylist():
        with pytest.raises(BadIdentityNumber):
            parse_identity(number)


def test_faults_count_rows_of_their_tables(county: Population) -> None:
    for fault in county.faults.values():
        assert fault.count == len(np.unique(fault.rows))
        assert fault.count == 0 or fault.rows[-1] < tables(county)[fault.table].num_rows
        assert fault.count > 0 or fault.name == "dead_household"


def test_every_null_is_a_counted_fault(county: Population) -> None:
    where = {
        "unknown_income": ("business_income_year",),
        "unknown_land": ("contract_land_mu", "sown_land_mu"),
        "unknown_deposits": ("deposits",),
        "unknown_wage": ("wage_month",),
        "unknown_disability": ("disability_grade",),
    }
    nulls = {
        fact.code: np.flatnonzero(table[fact.code].is_null().to_numpy()).tolist()
        for table, facts in ((county.households, HOUSEHOLD_FACTS), (county.people, PERSON_FACTS))
        for fact in facts
        if fact.code not in EVENT_DATES and 0 < table[fact.code].null_count < table.num_rows
    }
    assert nulls == {code: county.faults[name].rows.tolist() for name, codes in where.items() for code in codes}
    touched = sum(county.faults[name].count for name in where)
    assert touched <= county.households.num_rows * 0.01


def test_events_are_where_the_faults_say(county: Population) -> None:
    def dated(code: str) -> list[int]:
        return np.flatnonzero(county.people[code].is_valid().to_numpy()).tolist()

    assert dated("death_date") == county.faults["dead_listed"].rows.tolist()
    assert dated("moved_out_date") == county.faults["moved_out_listed"].rows.tolist()
    migrant, since = column(county.people, "reservoir_migrant"), county.people["migrant_since"]
    undated = np.flatnonzero(migrant & since.is_null().to_numpy())
    assert undated.tolist() == county.faults["unknown_migrant_date"].rows.tolist()
    assert pc.max(county.people["death_date"]).as_py() < county.as_of


def test_migrants_live_by_the_reservoirs_and_some_are_past_twenty_years(county: Population) -> None:
    migrant = column(county.people, "reservoir_migrant")
    since = county.people["migrant_since"].drop_null().to_pylist()
    village = column(county.households, "village")[column(county.people, "household")]
    shore = np.array([code.startswith("341524101") for code in village])
    assert 0.06 <= migrant.mean() <= 0.16 and migrant[shore].mean() > 0.25
    assert 0.05 <= np.mean([day < date(2001, 6, 25) for day in since]) <= 0.25


def income_a_head_month(county: Population) -> tuple[np.ndarray, np.ndarray]:
    """Per household, 分, and whether it is decided: every income known and somebody living there."""
    house, homes = column(county.people, "household"), county.households
    lives = pc.and_(county.people["death_date"].is_null(), county.people["moved_out_date"].is_null()).to_numpy()
    total, known = np.zeros(homes.num_rows), np.ones(homes.num_rows, bool)
    for code in ("business_income_year", "property_income_year", "transfer_income_year", "other_income_year"):
        total += homes[code].fill_null(0).to_numpy()
        known &= homes[code].is_valid().to_numpy()
    for code in ("wage_month", "pension_month"):
        monthly = county.people[code].fill_null(0).to_numpy() * lives
        total += 12 * np.bincount(house, monthly, homes.num_rows)
        known[house[county.people[code].is_null().to_numpy()]] = False
    members = np.bincount(house, lives, homes.num_rows)
    return total / np.maximum(members, 1) / 12, known & (members > 0)


def test_a_few_in_a_hundred_households_are_poor(county: Population) -> None:
    income, decided = income_a_head_month(county)
    poor, near = income < LINE_FEN, income < LINE_FEN * 1.5
    assert decided.mean() > 0.99
    assert 0.03 <= poor[decided].mean() <= 0.04
    assert 0.02 <= (near & ~poor)[decided].mean() <= 0.045
    for name in ("car_in_poor", "payroll_in_poor"):
        fault = county.faults[name]
        house = fault.rows if fault.table == "households" else column(county.people, "household")[fault.rows]
        assert np.mean(poor[house]) > 0.8  # a death or a missing wage may lift or hide a few
    assert (column(county.households, "vehicles")[county.faults["car_in_poor"].rows] == 1).all()
    assert column(county.people, "fiscal_payroll")[county.faults["payroll_in_poor"].rows].all()


def test_amounts_and_land_are_plausible(county: Population) -> None:
    for table, facts in ((county.households, HOUSEHOLD_FACTS), (county.people, PERSON_FACTS)):
        for fact in facts:
            if pa.types.is_integer(table[fact.code].type) and pc.count(table[fact.code]).as_py():
                assert pc.min(table[fact.code]).as_py() >= 0
    sown = pc.sum(county.households["sown_land_mu"]).as_py()
    assert sown == pytest.approx(22_810_242 * PEOPLE / 683_500, rel=0.01)
    wages, employed = column(county.people, "wage_month"), column(county.people, "employed")
    assert (wages[~employed & (wages == wages)] == 0).all()


def luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2]) % 10


def test_cards_and_accounts_differ_only_where_counted(county: Population) -> None:
    accounts = county.cards["account"].to_pylist()
    assert all(len(account) == 19 and account.startswith("6299990") and luhn(account) for account in accounts)
    shared = county.faults["shared_card"]
    assert len(set(accounts)) == len(accounts) - shared.count
    assert all(accounts[row] == accounts[other] for row, other in zip(shared.rows, shared.others, strict=True))
    bank = county.bank_accounts
    ours = county.cards.take(bank["card"])
    assert bank["account"].to_pylist() == ours["account"].to_pylist()
    assert len(set(bank["account"].to_pylist())) == bank.num_rows == len(set(accounts))
    names = column(county.people, "name")[column(ours, "holder")]
    assert np.flatnonzero(names != column(bank, "name")).tolist() == county.faults["bank_name_differs"].rows.tolist()
    other_state = np.flatnonzero(column(bank, "state") != column(ours, "state"))
    kinds = ("bank_closed", "bank_frozen", "bank_dormant", "bank_slow")
    assert other_state.tolist() == sorted(row for kind in kinds for row in county.faults[kind].rows)


def test_card_states_and_missing_cards_are_counted(county: Population) -> None:
    state, kind = column(county.cards, "state"), column(county.cards, "kind")
    for name in ("closed", "lost"):
        assert np.flatnonzero(state == name).tolist() == county.faults[f"{name}_card"].rows.tolist()
    served = column(county.cards, "household")[kind == "household"]
    without = np.setdiff1d(np.arange(county.households.num_rows), served)
    assert without.tolist() == county.faults["no_household_card"].rows.tolist()
    heads = column(county.households, "head")
    assert (column(county.cards, "holder")[kind == "household"] == heads[served]).all()


def test_bank_accounts_are_written_as_csv(county: Population, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    write_bank_accounts(county, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["account", "name", "id_number", "kind", "state"]
    assert [row["account"] for row in rows] == county.bank_accounts["account"].to_pylist()
    assert {row["state"] for row in rows} == {"normal", "closed", "frozen", "dormant", "slow"}
    assert {row["kind"] for row in rows} == {"person"}


def test_names_hold_rare_characters_and_dots(county: Population) -> None:
    names = county.people["name"].to_pylist()
    assert {char for name in names for char in name} >= set("㛃䶮𠮷𬱖·")
    with pytest.raises(UnicodeEncodeError):
        "".join(names).encode("gbk")


def test_phones_are_invented_and_unique(county: Population) -> None:
    phones = county.households["phone"].drop_null().to_pylist()
    assert all(len(phone) == 11 and phone.startswith("1600") for phone in phones)
    assert len(set(phones)) == len(phones)
    assert "虚构" in county.households.schema.metadata[b"phone"].decode()


@pytest.mark.parametrize("people", [600, 3_001, 100_000])
def test_any_size_comes_out_even(people: int) -> None:
    county = generate(people, 7, DIVISIONS, as_of=date(2026, 6, 1))
    assert county.people.num_rows == people
    assert len(set(county.people["id_number"].to_pylist())) == people - county.faults["listed_twice"].count


@pytest.mark.parametrize("people", [0, 499, 1_000_001])
def test_a_county_too_small_or_too_large_is_refused(people: int) -> None:
    with pytest.raises(BadInput, match="人的样本县"):
        generate(people, SEED, DIVISIONS)


def test_divisions_without_the_county_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "divisions.csv"
    path.write_text("code,name,level,parent\n230000000000,黑龙江省,省,\n", encoding="utf-8")
    with pytest.raises(BadInput, match="没有金寨县"):
        generate(PEOPLE, SEED, path)


def test_nobody_able_sits_at_home_in_a_household_that_is_not_poor(county: Population) -> None:
    people, age = county.people, ages(county)
    house, homes = column(people, "household"), county.households.num_rows
    income, _ = income_a_head_month(county)
    comfortable = income > LINE_FEN * 1.6
    able = (column(people, "labour") == "有") & (age >= 25) & (age < 59)
    lives = people["death_date"].is_null().to_numpy() & ~column(people, "in_custody")
    working = np.bincount(house, column(people, "employed"), homes) > 0
    idle = comfortable & (np.bincount(house, able & lives, homes) > 0) & ~working
    assert idle.mean() < 0.002  # those whose only worker died or is in custody

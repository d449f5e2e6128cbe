"""Households with gaps are worked out apart; nobody's result depends on it (DET-01)."""

from dataclasses import fields, replace

import numpy as np
import pytest

from huimin.kernel.facts import FACTS, HOUSEHOLD_FACTS, Entity, Fact, Kind
from huimin.rules import Column, Outcome, Programme, Table, evaluate, read_book_texts
from huimin.rules import engine as engine_module
from huimin.rules.exact import LIMIT
from huimin.rules.gaps import members_of, taken
from huimin.rules.table import dtype_of
from tests.rules.builders import ON, policy_text, trial

NATION = "000000000000"
LOW = {Kind.DATE: 0}
HIGH = {Kind.DATE: 20_000, Kind.MONEY: 200_000, Kind.AREA: 2_000, Kind.FLAG: 2}


def random_table(households: int, share_unknown: float, seed: int = 1) -> Table:
    """Some households without members, most of them knowing everything."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 4, households)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    columns: dict[Entity, dict[str, Column]] = {Entity.HOUSEHOLD: {}, Entity.PERSON: {}}
    for fact in FACTS:
        if fact.kind is not Kind.TEXT:
            rows = households if fact in HOUSEHOLD_FACTS else int(offsets[-1])
            columns[fact.entity][fact.code] = random_column(rng, fact, rows, share_unknown)
    return Table(columns[Entity.HOUSEHOLD], columns[Entity.PERSON], offsets)


def random_column(rng: np.random.Generator, fact: Fact, rows: int, share_unknown: float) -> Column:
    values = rng.integers(LOW.get(fact.kind, 0), len(fact.choices) or HIGH.get(fact.kind, 4), rows)
    departed = fact.code in ("death_date", "moved_out_date")
    return Column(values.astype(dtype_of(fact.kind)), rng.random(rows) < (0.05 if departed else 1 - share_unknown))


def both_ways(law: Programme, table: Table, monkeypatch: pytest.MonkeyPatch) -> tuple[Outcome, Outcome]:
    outcomes = []
    for share in (2.0, -1.0):
        monkeypatch.setattr(engine_module, "GAPS_FEW", share)
        outcomes.append(evaluate(law, table, ON, threads=1))
    return outcomes[0], outcomes[1]


def assert_equal(one: Outcome, other: Outcome) -> None:
    for field in fields(Outcome):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


LAWS = {
    "household": trial(
        "count(成员, not 就业 or 残疾等级 > 0) > 0 and (机动车数 = 0 or 机动车价值 <= 500 元)",
        "max(0, 标准 * 人口 - sum(成员, 月工资, not 服刑或强制戒毒) - 按月(年经营净收入))",
    ),
    "person": trial("年龄 >= 18 and any(成员, 重病) and 存款 < 1500 元", "if(就业, 标准 / 3, 标准)", unit="人"),
    "nobody": trial("max(成员, 月工资, 就业) > 500 元/月"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("share_unknown", [0.0, 0.002, 0.2])
def test_det_01_gaps_apart_or_together_give_the_same(
    kind: str, share_unknown: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DET-01: every field of every row, masks and reasons too."""
    apart, together = both_ways(LAWS[kind], random_table(500, share_unknown), monkeypatch)
    assert_equal(apart, together)
    if share_unknown == 0.2:
        assert (apart.eligible == -1).any()


def test_det_01_other_programmes_left_open_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-01: 符合 of a programme that lacks facts, or has nobody to look at, is open here too."""
    first = policy_text("max(成员, 月工资, 就业) > 500 元/月")
    second = policy_text("符合(trial) or 存款 > 1000 元").replace("项目: trial", "项目: second")
    book = read_book_texts({"a.yaml": first, "b.yaml": second})
    law = next(p for p in book.programmes_in_force((NATION,), ON) if p.code == "second")
    apart, together = both_ways(law, random_table(500, 0.01), monkeypatch)
    assert_equal(apart, together)
    assert (apart.eligible == -1).any()


def test_det_01_what_stands_in_an_unknown_place_does_not_matter() -> None:
    """DET-01: a number too large to multiply is no obstacle where it is not known."""
    table = random_table(100, 0.0)
    deposits = table.households["deposits"]
    values, known = deposits.values.copy(), deposits.known.copy()
    values[7], known[7] = LIMIT, False
    odd = replace(table, households={**table.households, "deposits": Column(values, known)})
    law = trial("存款 * 1000 > 5 元")
    outcome = evaluate(law, odd, ON)
    assert outcome.eligible[7] == -1
    plain = evaluate(law, table, ON)
    rest = np.arange(100) != 7
    np.testing.assert_array_equal(outcome.eligible[rest], plain.eligible[rest])


def test_det_01_households_taken_out_keep_their_members() -> None:
    table = random_table(50, 0.1)
    chosen = np.array([0, 3, 4, 49])
    members = members_of(table, chosen)
    assert members.tolist() == [m for h in chosen for m in range(table.offsets[h], table.offsets[h + 1])]
    alone = taken(table, chosen, members)
    assert alone.household_count == 4
    assert alone.member_count == len(members)

"""Programmes determined together share their work, and nobody's result depends on it (DET-01, DET-07)."""

import numpy as np
import pytest

from huimin.rules import Programme, evaluate, evaluate_all, evaluate_each, read_book_texts
from huimin.rules import engine as engine_module
from huimin.rules.exact import LIMIT, NumberTooLarge, select
from huimin.rules.sharing import Memo, shared
from huimin.rules.typed import Level
from tests.rules.builders import ON, policy_text
from tests.rules.test_rules_gaps import NATION, assert_equal, random_table

PEOPLE_POOR = "count(成员, 月工资 < 标准) > 1 and 机动车数 = 0"
TEXTS = {
    "first": ("存款 / max(1, 人口) < 300 元 and not any(成员, 重病)", "max(0, 标准 - 按月(年经营净收入))"),
    "second": (f"{PEOPLE_POOR} or 符合(first)", "标准 / 3"),
    "third": (f"not ({PEOPLE_POOR}) and max(成员, 月工资, 就业) > 500 元/月", "if(存款 > 100 元, 标准, 标准 / 7)"),
    "fourth": ("符合(third) or 存款 / max(1, 人口) < 300 元", "sum(成员, 月工资, 就业)"),
}


def laws_of(texts: dict[str, tuple[str, str]]) -> tuple[Programme, ...]:
    written = {
        f"{code}.yaml": policy_text(condition, amount).replace("项目: trial", f"项目: {code}")
        for code, (condition, amount) in texts.items()
    }
    return read_book_texts(written).programmes_in_force((NATION,), ON)


@pytest.fixture(scope="module")
def laws() -> tuple[Programme, ...]:
    return laws_of(TEXTS)


@pytest.mark.parametrize("share_unknown", [0.0, 0.003, 0.2])
def test_det_01_together_or_one_by_one_is_the_same(laws, share_unknown: float) -> None:
    """DET-01: every field of every row, with gaps and without, asked about or not."""
    table = random_table(600, share_unknown)
    together = evaluate_all(laws, table, ON, threads=1)
    for law in laws:
        assert_equal(together[law.code], evaluate(law, table, ON, threads=1))
    assert (together["fourth"].eligible == -1).any()


@pytest.mark.parametrize("share_unknown", [0.003, 0.1])
def test_det_07_cuts_threads_and_some_at_a_time_change_nothing(laws, share_unknown: float, monkeypatch) -> None:
    """DET-07: blocks, chunks, two threads, two programmes at a time."""
    table = random_table(600, share_unknown)
    for name, size in (("CHUNK_HOUSEHOLDS", 70), ("BLOCK_HOUSEHOLDS", 210), ("TOGETHER", 2)):
        monkeypatch.setattr(engine_module, name, size)
    found = {law.code: outcome for law, outcome in evaluate_each(laws, table, ON, threads=2)}
    monkeypatch.undo()
    for law in laws:
        assert_equal(found[law.code], evaluate(law, table, ON, threads=1))


def test_det_01_equal_expressions_are_one_node(laws) -> None:
    """What several programmes say is found once, and let go of after the last of them."""
    joined, plan = shared(laws)
    by_code = {law.code: law for law in joined}
    first, fourth = (by_code[code].conditions[0].tree.args for code in ("first", "fourth"))
    assert first[0] is fourth[1]
    memo = Memo(plan, {})
    memo.keep(first[0], "a column")
    memo.forget("first")
    assert memo.find(first[0]) == "a column"
    for law in joined:
        memo.forget(law.code)
    assert memo.find(first[0]) is None


def test_det_01_a_constant_is_worked_out_once_for_all_chunks() -> None:
    (law,), plan = shared(
        laws_of({"only": ("按月(年经营净收入) < 标准 * 3 and 按月(年转移净收入) < 标准 * 3", "标准")})
    )
    constant = next(arg for arg in law.conditions[0].tree.args[0].args if arg.level is Level.CONST and arg.args)
    constants: dict = {}
    Memo(plan, constants).keep(constant, "known")
    assert Memo(plan, constants).find(constant) == "known"


def test_det_01_parameters_of_one_name_and_two_values_stay_apart() -> None:
    """标准 of one programme is not 标准 of another."""
    low, high = (
        policy_text("按月(年经营净收入) < 标准 * 10 / 100", "标准").replace("项目: trial", f"项目: {code}")
        for code in ("low", "high")
    )
    assert "650 元/月" in high
    book = read_book_texts({"a.yaml": low, "b.yaml": high.replace("650 元/月", "900 元/月")})
    laws = book.programmes_in_force((NATION,), ON)
    table = random_table(300, 0.0)
    found = evaluate_all(laws, table, ON)
    assert not np.array_equal(found["low"].eligible, found["high"].eligible)
    for law in laws:
        assert_equal(found[law.code], evaluate(law, table, ON))


def test_det_01_a_number_too_large_in_one_programme_is_refused_for_all() -> None:
    laws = laws_of({"fine": ("存款 >= 0 元", "标准"), "huge": ("存款 * 900000000000000 * 900000 > 5 元", "标准")})
    with pytest.raises(NumberTooLarge):
        evaluate_all(laws, random_table(50, 0.0), ON)


def test_det_01_select_is_exact_at_the_edges() -> None:
    """What wraps on the way comes back: the branchless choice equals the plain one."""
    edges = np.array([LIMIT, -LIMIT, 0, 1, -1, LIMIT, -LIMIT], np.int64)
    condition = np.array([True, False, True, False, True, False, True])
    for a, b in (
        (edges, edges[::-1]),
        (edges, 0),
        (edges, -LIMIT),
        (LIMIT, edges),
        (LIMIT, -LIMIT),
        (-LIMIT, LIMIT),
        (5, 0),
    ):
        np.testing.assert_array_equal(select(condition, a, b), np.where(condition, a, b))

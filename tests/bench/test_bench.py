"""The benchmarks themselves: what they generate, assume and report (DET-01)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import determine, openfisca
from bench.columns import population
from bench.measuring import Result
from bench.report import print_results, write_results
from huimin.kernel.facts import FACTS, Kind
from huimin.kernel.places import chain
from huimin.policy.exchange import read_bundle
from huimin.rules import evaluate, read_book_texts

RESULT = Result("one", "work", 1.5, "秒", "标尺", 0.5, 3.0, "≤ 4 倍", True, 100)


def test_the_population_has_every_fact_and_is_the_same_again() -> None:
    table, again = population(2_000), population(2_000)
    assert 2.9 < table.member_count / table.household_count < 3.2
    assert {*table.households, *table.members} == {fact.code for fact in FACTS if fact.kind is not Kind.TEXT}
    for code, column in table.members.items():
        np.testing.assert_array_equal(column.values, again.members[code].values)
        np.testing.assert_array_equal(column.known, again.members[code].known)


def test_det_01_every_programme_of_the_place_is_measured() -> None:
    """DET-01: nothing waits for a value, and the made-up values stay in the benchmark."""
    texts = read_bundle(determine.ROOT / "policy")
    waiting = read_book_texts(texts).waiting(chain(determine.PLACE), determine.ON)
    measured = {law.code for law in determine.programmes_of_the_county()}
    assert waiting.keys() <= measured
    assert {"dibao-rural", "grain-one-off", "reservoir-migrant"} <= measured


def test_det_01_programmes_determined_together_come_out_as_alone() -> None:
    """DET-01: what is timed together gives what each programme gives when it is determined alone."""
    laws = determine.programmes_of_the_county()
    facts = {fact.code: fact for law in laws for fact in law.facts_needed} | {fact.code: fact for fact in FACTS}
    table = population(500, facts=tuple(facts.values()))
    together = determine.eligible_rows(laws, table)
    assert together == {law.code: int((evaluate(law, table, determine.ON).eligible == 1).sum()) for law in laws}
    assert any(law.structure.fits for law in laws)


def test_the_fixed_texts_of_the_comparison_are_in_force() -> None:
    laws = openfisca.programmes(determine.ON)
    assert [law.code for law in laws] == ["dibao-rural", "grain-one-off", "reservoir-migrant"]
    table = population(3_000)
    assert all((evaluate(law, table, determine.ON).eligible == 1).any() for law in laws)


def test_columns_for_the_like_for_like_comparison_lack_nothing() -> None:
    """Nothing is unknown, what was known stands, who lives stays alive; so that both engines answer the same question."""
    table = population(3_000)
    whole = openfisca.completed(table)
    for law in openfisca.programmes(determine.ON):
        known, gaps = evaluate(law, whole, determine.ON), evaluate(law, table, determine.ON)
        assert (gaps.eligible == -1).any() or law.code != "dibao-rural"
        assert (known.eligible >= 0).all()
        decided = gaps.eligible >= 0
        np.testing.assert_array_equal(known.amount_fen[decided], gaps.amount_fen[decided])


def test_results_of_one_benchmark_replace_its_own_and_keep_the_others(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.json"
    write_results(path, [RESULT, replace(RESULT, bench="two")], {"cores": 2}, "2026-01-01T00:00:00+00:00")
    write_results(path, [replace(RESULT, value=9.0)], {"cores": 2}, "2026-01-02T00:00:00+00:00")
    found = {each["bench"]: each for each in json.loads(path.read_text(encoding="utf-8"))["results"]}
    assert (found["one"]["value"], found["two"]["value"]) == (9.0, 1.5)
    needed = {"value", "unit", "yardstick", "ratio", "goal", "met", "peak_memory_mb", "machine"}
    assert needed <= found["one"].keys()
    assert found["two"]["at"] < found["one"]["at"]


def test_a_missed_goal_is_printed_as_missed() -> None:
    console = Console(width=160, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
    print_results(console, [replace(RESULT, met=False)])
    assert "│ 否" in console.export_text()

"""`determine`: everybody in a county of a million households, every programme in force there, in memory, with grounds.

in    generated columns (bench.columns), the policies of policy/ as in force in the sample county on 1 July 2021, and numbers
      for the parameters nobody has set there (bench.assumptions)
out   Results: all programmes against summing every column once; three programmes against OpenFisca-Core

Timed is `rules.evaluate_each` alone: eligible or not or unknown, the amount in 分, and for each row which conditions are met,
failed or open and which facts are missing. Each outcome is let go when it is there, as a screening does once it is stored.
Columns are generated and read policies are parsed before.
"""

import gc
from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np

from bench import openfisca
from bench.assumptions import assumptions
from bench.columns import population
from bench.measuring import Result, best_of, forget_peak, memory_mb, peak_memory_mb
from huimin.database.instance import ROOT
from huimin.kernel.facts import FACTS
from huimin.kernel.places import chain
from huimin.policy.exchange import read_bundle
from huimin.rules import Programme, Table, evaluate_each, read_book_texts

PLACE, ON = "341524000000", date(2021, 7, 1)
TIMES = 3
SUM_LIMIT, SUM_PROGRAMMES = 4, 13
OPENFISCA_LIMIT = 10


def run(households: int) -> Iterator[Result]:
    """The benchmark's lines, as they are known."""
    programmes = programmes_of_the_county()
    more = {fact.code: fact for law in programmes for fact in law.facts_needed}  # facts a place added for itself
    table = population(households, facts=tuple({**more, **{fact.code: fact for fact in FACTS}}.values()))
    yield _against_sums(table, programmes)
    yield from _against_openfisca(table)


def programmes_of_the_county() -> tuple[Programme, ...]:
    """Every programme written for the place and day."""
    texts = read_bundle(ROOT / "policy")
    texts["bench/assumptions.yaml"] = assumptions(texts, chain(PLACE), ON)
    return read_book_texts(texts).programmes_in_force(chain(PLACE), ON)


def sum_columns(table: Table) -> int:
    """The plain yardstick: every value added up and every known one counted, once, column by column."""
    total = 0
    for column in (*table.households.values(), *table.members.values()):
        total += int(column.values.sum()) + int(np.count_nonzero(column.known))
    return total


def _against_sums(table: Table, programmes: tuple[Programme, ...]) -> Result:
    yardstick, _ = best_of(TIMES, lambda: sum_columns(table))
    gc.collect()
    before = memory_mb()
    forget_peak()
    value, granted = best_of(TIMES, lambda: eligible_rows(programmes, table))
    peak = peak_memory_mb()
    ratio, limit = value / yardstick, SUM_LIMIT * max(len(programmes), SUM_PROGRAMMES) / SUM_PROGRAMMES
    return Result(
        "determine",
        f"{table.household_count:,} 户 {table.member_count:,} 人，{len(programmes)} 个项目，连同理由",
        value, "秒", f"把 {len(table.households) + len(table.members)} 列各加一遍", yardstick, ratio,
        f"≤ {limit:.1f} 倍（{SUM_PROGRAMMES} 个项目 {SUM_LIMIT} 倍）", ratio <= limit, peak,
        {"columns_mb": before, "programmes": len(programmes), "eligible": granted},
    )  # fmt: skip


def eligible_rows(programmes: Iterable[Programme], table: Table) -> dict[str, int]:
    """All programmes determined; how many each grants to."""
    return {
        law.code: int(np.count_nonzero(outcome.eligible == 1)) for law, outcome in evaluate_each(programmes, table, ON)
    }


def _against_openfisca(table: Table) -> Iterator[Result]:
    compared, peak = openfisca.compare(table, ON)
    for each in compared:
        ratio = each.openfisca_seconds / each.seconds
        yield Result(
            f"determine/{each.programme}" + ("" if each.complete else "/gaps"),
            f"{each.eligible:,} 个符合，{each.amount_fen / 100:,.2f} 元，两个引擎逐行相同，"
            + ("事实齐全" if each.complete else f"另有 {each.unknown:,} 个缺事实待定，指明缺什么"),
            each.seconds, "秒", "OpenFisca-Core", each.openfisca_seconds, ratio,
            f"≥ {OPENFISCA_LIMIT} 倍快", ratio >= OPENFISCA_LIMIT, peak_memory_mb(),
            {"unknown_rows": each.unknown, "yardstick_peak_memory_mb": peak, "amount_fen": each.amount_fen, "eligible": each.eligible},
        )  # fmt: skip

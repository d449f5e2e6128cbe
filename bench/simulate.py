"""`simulate`: a changed standard over a county of 700,000 people, from the stored snapshot to the figures of the page (POL-04).

in    generated columns (bench.columns) as the encrypted snapshot of a screening; the policies of policy/, with made-up values
      where nobody has set any (bench.assumptions)
out   one Result: reading the snapshot, both sets of programmes, everything counted by programme, township and kind of
      household, against determining the same people once by the policies in use

No database: what a simulation reads and writes there is the texts of the policies and one row.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bench.assumptions import assumptions
from bench.columns import population
from bench.measuring import Result, forget_peak, peak_memory_mb
from huimin.database import instance
from huimin.kernel.facts import Fact, Kind
from huimin.kernel.places import Level, chain
from huimin.rules import Column, Table

if TYPE_CHECKING:
    from huimin.screening.snapshots import Snapshot

HOUSEHOLDS_MAX = 228_000  # 700,000 people
SECONDS_GOAL = 10
ON = date(2021, 7, 1)
PLACE, TOWNSHIPS = "341524000000", 23
CHANGED = {"dibao-rural": {"低保标准": "740"}}


def run(households: int) -> Iterator[Result]:
    """The benchmark's line; never more people than a large county has."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ |= {"HUIMIN_HOME": home, "DJANGO_SETTINGS_MODULE": "huimin.settings.base"}
        instance.load_secrets()
        import django

        django.setup()
        from huimin.screening.snapshots import save

        folder = Path(home) / "snapshots"
        sha256 = save(_snapshot(population(min(households, HOUSEHOLDS_MAX))), folder)
        yield _measured(folder / f"{sha256}.bin", sha256)


def _measured(path: Path, sha256: str) -> Result:
    from huimin.policy.commands import read_folder
    from huimin.screening.simulation.columns import Columns
    from huimin.screening.simulation.comparing import compare
    from huimin.screening.simulation.drafts import Draft, drafted
    from huimin.screening.snapshots import load

    texts = read_folder(instance.ROOT / "policy")
    texts["bench/assumptions.yaml"] = assumptions(texts, chain(PLACE), ON)
    seconds: dict[str, float] = {}
    forget_peak()
    began = time.perf_counter()
    laws = drafted(texts, Draft(CHANGED), PLACE, ON)
    seconds["policies"] = time.perf_counter() - began
    columns = Columns(load(path, sha256), ON)
    seconds["snapshot"] = time.perf_counter() - began - seconds["policies"]
    found = compare(columns, laws, Level.COUNTY)
    total = time.perf_counter() - began
    seconds["comparing"] = total - seconds["policies"] - seconds["snapshot"]
    peak = peak_memory_mb()
    once = time.perf_counter()
    for _ in columns.evaluate(tuple(laws.before.values())):
        pass
    once = time.perf_counter() - once
    return Result(
        "simulate",
        f"{found.households:,} 户 {found.people:,} 人，{len(laws.before)} 个项目，按 {len(found.breakdowns)} 种分法汇总",
        total, "秒", "同样的人按现行政策判断一遍", once, total / once, f"≤ {SECONDS_GOAL} 秒", total <= SECONDS_GOAL, peak,
        {name: round(each, 2) for name, each in seconds.items()} | {"entering": found.total.entering},
    )  # fmt: skip


def _snapshot(table: Table) -> "Snapshot":
    """The columns as a screening stores them: ids, a division each, nothing granted."""
    from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS
    from huimin.screening.snapshots import GRANTED, Snapshot

    houses, people = table.household_count, table.member_count
    towns = pa.array([f"341524{100 + number}001001" for number in range(TOWNSHIPS)])
    place = towns.take(pa.array(np.arange(houses) * TOWNSHIPS // houses))
    owners = np.repeat(np.arange(1, houses + 1), np.diff(table.offsets))
    home = {"household_id": pa.array(np.arange(1, houses + 1)), "division": place}
    own = {"household_id": pa.array(owners), "person_id": pa.array(np.arange(1, people + 1))}
    return Snapshot(
        pa.table(
            home | {fact.code: _stored(table.households.get(fact.code), fact, houses) for fact in HOUSEHOLD_FACTS}
        ),
        pa.table(own | {fact.code: _stored(table.members.get(fact.code), fact, people) for fact in PERSON_FACTS}),
        GRANTED.empty_table(),
    )


def _stored(column: Column | None, fact: Fact, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, pa.string())
    if fact.kind is Kind.CHOICE:
        codes = pa.array(column.values, mask=~column.known)
        return pa.DictionaryArray.from_arrays(codes, pa.array(fact.choices)).cast(pa.string())
    stored = pa.array(column.values, mask=~column.known)
    return stored.cast(pa.date32()) if fact.kind is Kind.DATE else stored

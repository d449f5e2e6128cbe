"""`duplicates`: records that may be one person, found in a whole county, by the function the desk uses.

in    the demonstration's registry of 700,000 invented people (households × 3, no more than that), without any pair yet
out   Results: the first search; the same again, which adds nothing; beside one join of everybody with everybody of the
      same birth date, in the same database

Timed is `duplicates.searching.work`: from reading the registry to the committed pairs, their change records included.
"""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.instances import private_instance
from bench.measuring import Result, forget_peak, peak_memory_mb

PEOPLE_MAX, SECONDS_GOAL, DAY = 700_000, 60, date(2021, 9, 1)
_YARDSTICK = """
SELECT count(*) FROM registry_person a JOIN registry_person b ON a.birth_date = b.birth_date AND a.sex = b.sex
WHERE a.id < b.id AND a.closed_on IS NULL AND b.closed_on IS NULL
"""


def run(households: int) -> Iterator[Result]:
    people = min(PEOPLE_MAX, households * 3)
    with private_instance() as home:
        _register(people, home)
        yardstick = _everybody_of_a_day()
        yield _measured(f"{people:,} people, the first search", people, yardstick)
        yield _measured(f"{people:,} people, searched again", people, yardstick)


def _register(people: int, home: Path) -> None:
    from huimin.demo.quarter import STEPS, County

    county = County(people=people, seed=20210701, home=home)
    for step in STEPS[:2]:
        step.run(county)


def _everybody_of_a_day() -> float:
    from huimin.database.bulk import fetch_one, run
    from huimin.organisation.acting import reading

    by = _officer()
    began = time.perf_counter()
    with reading(by):
        run("SET LOCAL enable_nestloop = off")
        fetch_one(_YARDSTICK)
    return time.perf_counter() - began


def _officer():  # type: ignore[no-untyped-def]
    from huimin.demo.actors import actor
    from huimin.organisation.posts import OfficeKind, Post

    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def _measured(work: str, people: int, yardstick: float) -> Result:
    from huimin.duplicates.searching import request_search
    from huimin.jobs.working import work_until_done

    by = _officer()
    job = request_search(by=by, on=DAY)
    began, stages = time.perf_counter(), dict[str, float]()
    forget_peak()
    done = work_until_done(job.pk, by, lambda row: stages.setdefault(row.stage, round(time.perf_counter() - began, 1)))
    seconds = time.perf_counter() - began
    return Result(
        bench="duplicates", work=work, value=round(seconds, 1), unit="s", yardstick="one join by birth date and sex",
        yardstick_value=round(yardstick, 1), ratio=round(seconds / max(yardstick, 0.01), 2), goal=f"≤ {SECONDS_GOAL} s",
        met=seconds <= SECONDS_GOAL * people / PEOPLE_MAX + 5, peak_memory_mb=peak_memory_mb(),
        detail={"outcome": done.outcome, "stages_began_at_s": stages},
    )  # fmt: skip

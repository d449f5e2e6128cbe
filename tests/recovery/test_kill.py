"""A quarter whose worker, site and PostgreSQL are killed at random moments ends with the figures of one left in peace.

HUIMIN_KILLS (30) are spread over the three kinds; HUIMIN_TEST_PEOPLE (1000) makes the county larger: `make soak`.
"""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.test import override_settings

from huimin.audit.verifying import verify
from huimin.demo.booking import book
from huimin.demo.quarter import County
from huimin.demo.recount import compare
from tests.recovery.apart import FROM, KINDS, Apart, Killer
from tests.recovery.quarter import Quarter, ask, figures, get_ready
from tests.stages import PEOPLE, SEED, Stages

KILLS = int(os.environ.get("HUIMIN_KILLS", "30"))
SOAK = KILLS > 30
CHANCE = int(os.environ.get("HUIMIN_KILL_SEED", "20210930"))
PAUSE = float(os.environ.get("HUIMIN_KILL_PAUSE", "6.0" if SOAK else "1.0"))
"""Seconds between two kills at most."""
NEAR = 99 if SOAK else 5
SHARES = {"worker": 1, "web": 2, "postgres": 2}
"""A worker that is killed has everything to load again before it goes on: half as often as the others."""


Figures = dict[tuple[str, str], tuple[int, int]]


def left_in_peace(stages: Stages, county: Callable[[str], str], folder: Path) -> Figures:
    """The same quarter by the demonstration's commands, killed by nobody."""
    stages.reconnect()
    county("reissued")
    place = County(people=PEOPLE, seed=SEED, home=stages.files("reissued", folder))
    book(place)
    return figures(place)


def shares() -> list[str]:
    whole = sum(SHARES.values())
    parts = [kind for kind in KINDS for _ in range(KILLS * SHARES[kind] // whole)]
    return parts + ["postgres"] * (KILLS - len(parts))


def test_killed_anywhere_the_quarter_ends_with_the_same_figures(
    stages: Stages, county: Callable[[str], str], tmp_path: Path
) -> None:
    """PAY-06, LED-01: SIGKILL of the worker, the web process and PostgreSQL; everybody repeats what he is not sure of."""
    chance, kinds = random.Random(CHANCE), shares()
    chance.shuffle(kinds)
    stages.ensure("reissued")
    files = stages.files(FROM, tmp_path / FROM)
    apart = Apart(stages, stages.home.parent / "apart")
    began, expected = time.monotonic(), {}
    try:
        with override_settings(HOME=str(apart.home)):
            for number in range(1, KILLS + 2):
                shutil.copytree(files, tmp_path / f"round{number}")
                place = County(people=PEOPLE, seed=SEED, home=tmp_path / f"round{number}")
                with open_for(place, apart):
                    expected = expected or left_in_peace(stages, county, tmp_path / "peace")
                    apart.go_on()
                    carry_through(place, apart, chance, kinds)
                require_same(place, expected)
                lines = sum(count for (kind, _), (count, _) in expected.items() if kind == "line")
                print(
                    f"quarter {number} of {lines:,} lines, seed {CHANCE}, {len(kinds)} kills left, {time.monotonic() - began:.1f} s"
                )
                if not kinds:
                    break
    finally:
        apart.remove()
        stages.reconnect()
    assert not kinds


@contextmanager
def open_for(county: County, apart: Apart) -> Iterator[None]:
    """Site, worker and the bank's server over a county that is owed a quarter."""
    apart.stages.reconnect()
    name = apart.stages.fresh(FROM)
    server = get_ready(county, apart.home)
    apart.open(name, county.home / "bank")
    try:
        yield
    finally:
        apart.close()
        server.close()


def carry_through(county: County, apart: Apart, chance: random.Random, kinds: list[str]) -> None:
    """From what is owed to closed books, with as many of `kinds` as fall into it."""
    quarter = Quarter(apart, county, chance, near=NEAR, printed=SOAK)
    killer = Killer(apart, chance, kinds, PAUSE)
    try:
        quarter.run()
    finally:
        killer.stop()
    print(f"{dict(killer.done)}; {quarter.clerks.sent} forms sent, {quarter.clerks.unsure} without an answer")


def require_same(county: County, expected: Figures) -> None:
    """Every figure as if nobody was killed; the recount, the bank's books and the change log agree."""
    assert ask(lambda: figures(county)) == expected
    assert [one for one in compare(county) if one.difference] == []
    report = verify()
    assert report.ok, report.lines()

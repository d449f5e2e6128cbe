"""Random acts of offices and bank on a real county: nothing paid twice, nothing lost, bank = ledger = rosters (PAY-01 to PAY-06, FUND-01, LED-01, LED-03)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from huimin.demo import dates, paying
from huimin.demo.quarter import County
from tests.payment.walk.doing import Base, Taken
from tests.payment.walk.holds import fetched
from tests.payment.walk.machine import Walk
from tests.stages import PEOPLE, SEED, Stages

WALKS = int(os.environ.get("HUIMIN_WALKS", "4"))
SOAK = WALKS > 4
SEEN = 1  # of ten the one whose walks met the most kinds of acts
STEPS = 60 if SOAK else 40
DAYS = {"accrued": dates.ACCRUED, "answered": dates.LATE_RESULTS, "reissued": dates.REISSUE_RESULTS}

# Few people under both programmes, so that a step is quick; of the townships where something came back, where there are any.
_PLACES = """
SELECT left(e.division, 9) || '000' FROM casework_entitlement e WHERE e.programme IN ('dibao-rural', 'reservoir-migrant') GROUP BY 1
HAVING count(*) >= 8 AND count(DISTINCT e.programme) = 2
ORDER BY (SELECT count(*) FROM payment_rosterline l WHERE l.state = 'returned' AND left(l.division, 9) = left(min(e.division), 9)) = 0, count(*), 1 LIMIT 2
"""


@pytest.fixture(scope="module")
def bases(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Base]]:
    made: dict[str, Base] = {}

    def at(stage: str) -> Base:
        if stage not in made:
            database = stages.fresh(stage)
            home = stages.files(stage, Path(os.environ["HUIMIN_HOME"]) / f"walk-{stage}")
            if stage == "accrued":
                paying._open_accounts(County(people=PEOPLE, seed=SEED, home=home))
            places = tuple(place for (place,) in fetched(_PLACES))
            made[stage] = Base(stages, database, home, DAYS[stage], places)
        return made[stage]

    yield at
    for each in made.values():
        stages.drop(each.database)


def test_PAY_06_money_walked_at_random_is_never_paid_twice_or_lost(bases: Callable[[str], Base]) -> None:
    """`HUIMIN_WALKS=100` walks long (make soak)."""
    Walk.bases, Walk.taken = staticmethod(bases), Taken()
    run_state_machine_as_test(
        Walk if SOAK else seed(SEEN)(Walk),
        settings=settings(
            max_examples=WALKS, stateful_step_count=STEPS, deadline=None, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
    print(f"{Walk.taken.runs} walks; done {dict(Walk.taken.done)}; refused {dict(Walk.taken.refused)}")

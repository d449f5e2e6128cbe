"""The engine's outcome held against the reference, row by row."""

from dataclasses import fields

from hypothesis import HealthCheck, settings

from huimin.kernel.facts import FACTS, Entity, Kind
from huimin.rules import Outcome, Programme, Table, evaluate
from huimin.rules.engine import missing_facts
from huimin.rules.reference import determine
from huimin.rules.typed import NOBODY_BIT
from huimin.rules.vocabulary import DEPARTURES
from tests.rules.builders import ON, Household, joined_table

SLOW = settings(
    max_examples=80, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


_KNOWN: dict[Kind, object] = {Kind.FLAG: False, Kind.DATE: "2000-01-01", Kind.INT: 1, Kind.MONEY: 1, Kind.AREA: 1}


def _known(entity: Entity) -> dict[str, object]:
    facts = [fact for fact in FACTS if fact.entity is entity and fact.code not in DEPARTURES]
    return {f.name: f.choices[0] if f.choices else _KNOWN.get(f.kind, "341524100001") for f in facts}


KNOWN: Household = (_known(Entity.HOUSEHOLD), [_known(Entity.PERSON)])


def _same_among_the_known(programme: Programme, households: list[Household], alone: Outcome) -> None:
    """Where few have gaps, the engine takes another way to the same results."""
    many = evaluate(programme, joined_table([*households, *[KNOWN] * (3 * len(households))]), ON, threads=1)
    for field in fields(alone):
        one, other = getattr(alone, field.name), getattr(many, field.name)
        assert list(one) == list(other[: len(one)]), field.name


def same(programme: Programme, households: list[Household], table: Table | None = None) -> None:
    """Every field of the outcome equals the reference's verdict."""
    outcome = evaluate(programme, table or joined_table(households), ON, threads=1)
    verdicts = [verdict for house in households for verdict in determine(programme, *house, ON)]
    assert len(verdicts) == len(outcome.eligible)
    if table is None:
        _same_among_the_known(programme, households, outcome)
    for row, verdict in enumerate(verdicts):
        assert int(outcome.eligible[row]) == {True: 1, False: 0, None: -1}[verdict.eligible]
        assert int(outcome.amount_fen[row]) == verdict.amount_fen
        assert bool(outcome.phase_out[row]) == verdict.phase_out
        mask = int(outcome.missing_mask[row])
        nobody = {"成员"} if mask >> NOBODY_BIT & 1 else set()
        assert {fact.code for fact in missing_facts(programme, mask)} | nobody == verdict.missing
        for bit, condition in enumerate(programme.conditions):
            masks = (outcome.met_mask, outcome.failed_mask, outcome.unknown_mask)
            hits = tuple(int(mask[row]) >> bit & 1 for mask in masks)
            assert hits == {True: (1, 0, 0), False: (0, 1, 0), None: (0, 0, 1)}[verdict.conditions[condition.id]]

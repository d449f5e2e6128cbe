"""Where the one person lives after a merge: one membership stays, the other ends, an emptied household closes (REG-05).

in    both sides as they are; whether the survivor takes the absorbed record's place; new heads by household
out   the household he stays in, households that ended, households touched, what was done in words

The past stays: memberships end on the day of the merge, they are not undone. Law: a person is in one household at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from huimin.duplicates.comparing import Side
from huimin.organisation.acting import Actor
from huimin.registry.bitemporal import Span, end, revise
from huimin.registry.commands.facts import locked_household
from huimin.registry.commands.families import Step, enter, take_out
from huimin.registry.models import Household, Membership, Person


@dataclass
class Home:
    """`stays` is None when neither record belongs to a household."""

    stays: Household | None = None
    ended: list[Household] = field(default_factory=list)
    touched: list[Household] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def settle_home(
    by: Actor, on: date, left: Side, right: Side, takes_place: bool, new_heads: Mapping[str, int], evidence: str
) -> Home:
    """NoHead when somebody leaves others behind as head and nobody was named."""
    home = Home()
    mine, other = left.membership, right.membership
    ids = sorted({row.household_id for row in (mine, other) if row is not None})
    rows = {number: locked_household(by, number) for number in ids}
    home.touched = list(rows.values())
    step = Step(by, on, on, evidence)
    if other is None:
        home.stays = rows[mine.household_id] if mine else None
    elif mine is not None and not takes_place:
        home.stays = rows[mine.household_id]
        default = left.person.pk if mine.household_id == other.household_id else None
        _leave(step, home, rows[other.household_id], right.person, new_heads, default)
    else:
        home.stays = rows[other.household_id]
        _take_place(step, home, rows, left, right, new_heads)
    return home


def alone(side: Side) -> bool:
    """Whether nobody would be left in his household."""
    row = side.membership
    if row is None:
        return False
    present = Membership.objects.filter(household=row.household_id, recorded_to=None, valid_to=None)
    return not present.exclude(person=side.person).exists()


def _take_place(
    step: Step, home: Home, rows: Mapping[int, Household], left: Side, right: Side, new_heads: Mapping[str, int]
) -> None:
    mine, other = left.membership, right.membership
    assert other is not None and home.stays is not None, "a place to take"
    end(Membership, {"person_id": right.person.pk}, step.since)
    if mine is not None and mine.household_id == other.household_id:
        values = {"household_id": other.household_id, "relation": other.relation}
        origin = {"division": home.stays.division, "evidence": step.evidence}
        revise(Membership, {"person_id": left.person.pk}, Span(step.since), values, by=step.by, **origin)
    else:
        if mine is not None:
            _leave(step, home, rows[mine.household_id], left.person, new_heads, None)
        enter(step, home.stays, Person.objects.get(pk=left.person.pk), other.relation)
    home.told.append(f"在 {home.stays.household_no} 户为{other.relation}")


def _leave(
    step: Step, home: Home, household: Household, person: Person, new_heads: Mapping[str, int], default: int | None
) -> None:
    take_out(step, household, [person.pk], new_heads.get(str(household.pk), default))
    household.refresh_from_db()
    if household.closed_on is None:
        home.told.append(f"{household.household_no} 户的登记自 {step.since} 起不含这份档案")
    else:
        home.ended.append(household)
        home.told.append(f"{household.household_no} 户没有成员了，自 {step.since} 起注销")

"""A household moves: all its registry rows change place, frozen rows elsewhere keep the place they were made in (REG-05).

The move itself stands in the change log; its day and evidence stand in the new address, which every move has.
"""

from datetime import date

from huimin.database.bulk import fetch, run
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, command, require_place
from huimin.organisation.posts import Post
from huimin.registry.commands.facts import locked_household, revise_household
from huimin.registry.commands.families import follow_cards
from huimin.registry.models import Household

_MEMBERS = (
    "SELECT person_id FROM registry_membership"
    " WHERE household_id = %(household)s AND recorded_to IS NULL AND valid_to IS NULL"
)
_OF_HOUSEHOLD = [
    "registry_householdfacts",
    "registry_membership",
    "registry_workitem",
    "registry_cardcorrection",
    "registry_reportedchange",
    "registry_attachment",
]


def moves_with_household(table: str) -> None:
    """A room downstream names a table (columns household_id, division) whose rows stand where the household lives now."""
    if table not in _OF_HOUSEHOLD:
        _OF_HOUSEHOLD.append(table)


@command(Post.CLERK, Post.COUNTY_OFFICER)
def move_household(*, by: Actor, on: date, household: int, division: str, address: str, evidence: str) -> Household:
    """From `on` the household lives at `address` in `division` (a village or group in force in the place of `by`).

    Moving it where it is changes nothing but the address, and nothing at all when that is the same too.
    """
    return relocate(by, on, locked_household(by, household), division, address, on, evidence)


def relocate(
    by: Actor, on: date, found: Household, division: str, address: str, since: date, evidence: str
) -> Household:
    """The step of `move_household`, from the day `since`."""
    require_place(by, division)
    if get_division(division, on).level < Level.VILLAGE:
        raise BadInput("户应登记在村或村民组", where="迁入地", remedy="请选择村或村民组")
    if not address.strip():
        raise BadInput("没有新住址", where="住址", remedy="请填写迁入后的住址")
    revise_household(by, found, on, {"address": address}, since, None, evidence)
    if found.division != division:
        _move(found.pk, division)
        found.refresh_from_db()
    return found


def _move(household: int, division: str) -> None:
    values = {"household": household, "division": division}
    run(f"UPDATE registry_person SET division = %(division)s WHERE id IN ({_MEMBERS})", values)  # noqa: S608
    run(f"UPDATE registry_personfacts SET division = %(division)s WHERE person_id IN ({_MEMBERS})", values)  # noqa: S608
    run(
        "UPDATE registry_card SET division = %(division)s WHERE household_id = %(household)s"  # noqa: S608
        f" OR use = 'person' AND holder_id IN ({_MEMBERS})",
        values,
    )
    follow_cards([row[0] for row in fetch(_MEMBERS, values)], division)
    for table in _OF_HOUSEHOLD:
        run(f"UPDATE {table} SET division = %(division)s WHERE household_id = %(household)s", values)  # noqa: S608
    run("UPDATE registry_household SET division = %(division)s WHERE id = %(household)s", values)

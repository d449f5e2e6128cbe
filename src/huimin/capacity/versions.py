"""Which version of each programme is in force at a place, and since when (POL-02, ORG-07). Inside a reading transaction."""

from dataclasses import dataclass
from datetime import date

from huimin.kernel.places import chain
from huimin.policy.queries import adopted_book


@dataclass(frozen=True)
class Version:
    """`since`: the day the text or the newest of its values began."""

    programme: str
    name: str
    since: date


def versions_at(division: str, on: date) -> dict[str, Version]:
    """By programme code, as of `on`; of the county where the place lies beneath one."""
    county = division[:6].ljust(12, "0") if division[4:6].strip("0") else division
    return {
        law.code: Version(law.code, law.structure.fields["名称"], since_of(law))
        for law in adopted_book().programmes_in_force(chain(county), on)
    }


def since_of(law: object) -> date:
    """The later of the text's first day and its values' first days."""
    parameters = law.parameters.values()  # type: ignore[attr-defined]
    return max([law.structure.valid_from, *(value.valid_from for value in parameters)])  # type: ignore[attr-defined]

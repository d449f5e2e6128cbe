"""What a case's notice shows: masked name, number of members, amount; nothing else (CASE-06, 民发〔2021〕57号 第24条).

in    a case of a household, or a list with its lines
out   rows for `notices.publish`, each with the household it is about (not shown)
"""

from collections.abc import Iterator
from datetime import date

from huimin.cases.determining import determine
from huimin.cases.models import Case, CaseLine
from huimin.kernel.masking import mask_name
from huimin.notices.commands import Row
from huimin.organisation.acting import Actor
from huimin.registry.models import Membership, Person

HEAD = "户主"


def rows_of(by: Actor, on: date, case: Case) -> Iterator[Row]:
    if case.household_id is None:
        yield from _lines(case)
        return
    finding = determine(by, on, case)
    amount, people = (finding.told.amount_fen, finding.told.people) if finding else (0, 0)
    yield Row(case.division, case.pk, "", mask_name(_name(case)), people, "", amount, case.household_id)


def _name(case: Case) -> str:
    if case.person_id:
        return Person.objects.values_list("name", flat=True).get(pk=case.person_id)
    heads = Membership.objects.filter(household=case.household_id, relation=HEAD, recorded_to=None, valid_to=None)
    return heads.values_list("person__name", flat=True).first() or "户主"


def _lines(case: Case) -> Iterator[Row]:
    """Village by village in the order of the list; two queries."""
    lines = (
        CaseLine.objects.filter(case=case, left_out="").select_related("proposal", "person").order_by("division", "id")
    )
    households = lines.filter(person=None).values("household")
    heads = dict(
        Membership.objects.filter(household__in=households, relation=HEAD, recorded_to=None, valid_to=None).values_list(
            "household_id", "person__name"
        )
    )
    for line in lines.iterator(chunk_size=2000):
        name = line.person.name if line.person else heads.get(line.household_id, HEAD)
        told = line.proposal
        yield Row(
            line.division, line.pk, "", mask_name(name), told.people or 1, told.quantity, line.amount_fen, line.household_id
        )  # fmt: skip

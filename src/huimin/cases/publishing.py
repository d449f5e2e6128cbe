"""What a case's notice shows: masked name, number of members, amount; nothing else (CASE-06, 民发〔2021〕57号 第24条).

in    cases of households, or lists with their lines
out   for each, rows for `notices.publish`, with the household they are about (not shown)
"""

from collections.abc import Iterator, Sequence
from datetime import date

from huimin.cases.determining import determine_many
from huimin.cases.models import Case, CaseLine
from huimin.kernel.masking import mask_name
from huimin.notices.commands import Row
from huimin.registry.models import Membership, Person

HEAD = "户主"


def rows_of(on: date, cases: Sequence[Case]) -> dict[int, list[Row]]:
    """What each of these shows, by case; households are determined together, a handful of queries for all."""
    own = [case for case in cases if case.household_id is not None]
    findings, names = determine_many(on, own) if own else {}, _names(own)
    found = {case.pk: list(_lines(case)) for case in cases if case.household_id is None}
    for case in own:
        told = finding.told if (finding := findings[case.pk]) else None
        amount, people = (told.amount_fen, told.people) if told else (0, 0)
        name = mask_name(names[case.pk])
        found[case.pk] = [Row(case.division, case.pk, "", name, people, "", amount, case.household_id)]
    return found


def _names(cases: Sequence[Case]) -> dict[int, str]:
    """The person it is asked for, or the head of the household; two queries."""
    people = dict(
        Person.objects.filter(pk__in=[case.person_id for case in cases if case.person_id]).values_list("pk", "name")
    )
    heads = Membership.objects.filter(
        household__in=[case.household_id for case in cases], relation=HEAD, recorded_to=None, valid_to=None
    )
    named = dict(heads.values_list("household_id", "person__name"))
    return {case.pk: people.get(case.person_id, "") or named.get(case.household_id, HEAD) for case in cases}


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

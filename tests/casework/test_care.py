"""特困: assessed by two, graded by number, agreed on an entitlement; the share in centralised support (DET-04)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from huimin.casework.care import (
    ITEMS,
    NotInTekun,
    assess_care,
    care_share,
    list_agreements,
    sign_care_agreement,
)
from huimin.casework.models import CareAssessment, Entitlement
from huimin.demo.actors import actor
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.models import Membership, PersonFacts

At = Callable[[str], str]
DAY = date(2021, 7, 5)


def clerk() -> Actor:
    return actor(Post.CLERK, townships()[0])


def people(count: int = 4) -> list[int]:
    with reading(clerk()):
        rows = Membership.objects.filter(recorded_to=None, valid_to=None, relation="户主").order_by("person")
        return list(rows.values_list("person", flat=True)[:count])


def assess(person: int, lost: list[str], **more: object) -> CareAssessment:
    told = {"lost": lost, "assessors": ["甲", "乙"], "assessed_on": DAY}
    return assess_care(**{"by": clerk(), "on": DAY, "person": person, **told, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(("losses", "grade"), [(0, "full"), (1, "half"), (3, "half"), (4, "none"), (6, "none")])
def test_the_grade_follows_and_the_registry_knows(county: At, losses: int, grade: str) -> None:
    """DET-04: 民发〔2021〕43号: all six, up to three lost, four and more."""
    county("registered")
    person = people()[0]
    made = assess(person, list(ITEMS)[:losses])
    assert (made.grade, made.losses) == (grade, losses)
    with reading(clerk()):
        known = PersonFacts.objects.get(person=person, recorded_to=None, valid_to=None)
    assert known.self_care_losses == losses


def test_what_cannot_be_is_refused(county: At) -> None:
    """DET-04, SEC-02: one assessor, the same twice, an item that is none, tomorrow, another post; a grade that lies."""
    county("registered")
    person = people()[0]
    for wrong in (
        {"assessors": ["甲"]}, {"assessors": ["甲", "甲"]}, {"lost": ["x"]}, {"assessed_on": DAY + timedelta(days=1)},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            assess(person, **{"lost": [], **wrong})  # type: ignore[arg-type]
    with pytest.raises(NotYourPost):
        assess(person, [], by=actor(Post.TOWNSHIP_HEAD, townships()[0]))
    made = assess(person, [])
    with pytest.raises(IntegrityError, match="care_grade"), transaction.atomic(using="maintenance"):
        CareAssessment.objects.using("maintenance").filter(pk=made.pk).update(grade="none")


def test_an_agreement_stands_on_an_entitlement_and_the_share_is_counted(county: At) -> None:
    """DET-04: no 特困, no agreement; a new one ends the old; 全护理 people in centralised support."""
    county("decided")
    ids = people()
    agreement = {"by": clerk(), "on": DAY, "mode": "central", "carer": "梅山镇敬老院", "signed_on": DAY}
    with pytest.raises(NotInTekun):
        sign_care_agreement(person=ids[0], **agreement)  # type: ignore[arg-type]
    given = Entitlement.objects.using("maintenance").filter(programme="reservoir-migrant").order_by("pk")[:3]
    for person, row in zip(ids, list(given), strict=False):
        home = Membership.objects.using("maintenance").get(person=person, recorded_to=None).household
        Entitlement.objects.using("maintenance").filter(pk=row.pk).update(
            programme="tekun", person=person, household=home, division=home.division, valid_from=date(2021, 7, 1)
        )
    assess(ids[0], list(ITEMS)[:5])
    assess(ids[1], list(ITEMS)[:4])
    assess(ids[2], [])
    sign_care_agreement(person=ids[0], **agreement)  # type: ignore[arg-type]
    sign_care_agreement(person=ids[1], **{**agreement, "mode": "home", "carer": "邻居"})  # type: ignore[arg-type]
    sign_care_agreement(person=ids[1], **{**agreement, "mode": "home", "carer": "侄子"})  # type: ignore[arg-type]
    by = clerk()
    with reading(by):
        share = care_share(by.prefix, DAY)
        assert [each.ended_on for each in list_agreements(ids[1])] == [None, DAY]
    assert (share.people, share.assessed, share.dependent, share.central, share.agreed) == (3, 3, 2, 1, 2)
    assert share.percent == 50

"""Deciding proposals: by the right post and department, one or many, once (DET-01, DET-06, SEC-02, SEC-07)."""

from collections.abc import Callable
from datetime import date

import pytest

from huimin.audit.models import Signature
from huimin.casework.commands import NothingToDecide, StillUnknown, decide_proposals
from huimin.casework.models import Decision, Entitlement
from huimin.database.bulk import fetch_one
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import NotYourPost, NotYourProgramme, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.screening.models import Proposal

At = Callable[[str], str]
GRAIN = "grain-one-off"


def approver() -> object:
    return actor(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)


def decide(**more: object) -> int:
    arguments = {"by": approver(), "on": dates.DECIDED, "programme": GRAIN, "division": COUNTY, "grant": True}
    return decide_proposals(**{**arguments, **more})  # type: ignore[arg-type]


def test_a_filtered_many_are_decided_at_a_stroke(county: At) -> None:
    """DET-06: every open proposal of one township becomes a decision and an entitlement, signed over their digest."""
    county("screened")
    place = townships()[0]
    with reading(county_officer()):
        open_ = Proposal.objects.filter(
            programme=GRAIN, state="open", kind="enter", division__startswith=place[:9]
        ).count()
    assert decide(division=place) == open_ > 0
    with reading(county_officer()):
        assert Decision.objects.count() == Entitlement.objects.count() == open_
        assert not Entitlement.objects.exclude(division__startswith=place[:9]).exists()
        assert Signature.objects.filter(act="批准建议").count() == 1
        same = fetch_one(
            "SELECT bool_and(e.amount_fen = p.amount_fen AND e.version = p.version AND e.valid_from = %s)"
            " FROM casework_entitlement e JOIN casework_decision d ON d.id = e.decision_id"
            " JOIN screening_proposal p ON p.id = d.proposal_id",
            [date(2021, 7, 1)],
        )[0]
    assert same


def test_one_is_decided_and_not_again(county: At) -> None:
    """SEC-07: a decided proposal is not open any more; the second click is refused and changes nothing."""
    county("screened")
    with reading(county_officer()):
        one = Proposal.objects.filter(programme=GRAIN, kind="enter").order_by("pk")[0].pk
    assert decide(proposal_ids=[one]) == 1
    with pytest.raises(NothingToDecide):
        decide(proposal_ids=[one])
    with reading(county_officer()):
        assert Entitlement.objects.count() == 1


def test_a_named_proposal_that_is_gone_refuses_the_whole_act(county: At) -> None:
    """Refuse rather than guess: two named, one of them of another programme."""
    county("screened")
    with reading(county_officer()):
        mine = Proposal.objects.filter(programme=GRAIN, kind="enter").order_by("pk")[0].pk
        other = Proposal.objects.filter(programme="dibao-rural", kind="enter").order_by("pk")[0].pk
    with pytest.raises(NothingToDecide):
        decide(proposal_ids=[mine, other])
    with reading(county_officer()):
        assert not Decision.objects.exists()


def test_refusing_needs_a_reason_and_grants_nothing(county: At) -> None:
    """DET-01: a refusal is a decision too, with its reason, and no entitlement."""
    county("screened")
    with reading(county_officer()):
        one = Proposal.objects.filter(programme=GRAIN, kind="enter").order_by("pk")[0].pk
    with pytest.raises(Refusal, match="理由"):
        decide(proposal_ids=[one], grant=False)
    decide(proposal_ids=[one], grant=False, reason="经查土地已流转")
    with reading(county_officer()):
        assert Decision.objects.get().reason == "经查土地已流转"
        assert not Entitlement.objects.exists()


def test_an_unknown_determination_is_granted_by_nobody(county: At) -> None:
    """DET-01: what lacks facts waits for them."""
    county("screened")
    with reading(county_officer()):
        unknown = Proposal.objects.filter(kind="unknown", programme=GRAIN).order_by("pk")[0]
    assert unknown.missing
    with pytest.raises(StillUnknown):
        decide(proposal_ids=[unknown.pk])


def test_only_the_department_decides_its_own(county: At) -> None:
    """SEC-02, SEC-03: post and programme."""
    county("screened")
    with pytest.raises(NotYourPost):
        decide(by=county_officer())
    with pytest.raises(NotYourPost):
        decide(by=actor(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE))
    with pytest.raises(NotYourProgramme):
        decide(by=actor(Post.DEPARTMENT_APPROVER, OfficeKind.WATER))

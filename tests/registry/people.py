"""Actors and households the tests of the registry share."""

from datetime import date

from huimin.demo.actors import actor
from huimin.organisation.acting import Actor, reading
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.commands import propose_cooling_time, settle_cooling_time
from huimin.registry.models import Card, CardRule, Household, Membership

DAY = date(2021, 6, 21)
LATER = date(2021, 8, 10)
NOW = date(2021, 9, 1)


def officer() -> Actor:
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def household(members_min: int = 2, carded: bool = True, nth: int = 0) -> Household:
    """The nth open household with so many members, and a card in use when `carded`."""
    with reading(officer()):
        cards = Card.objects.filter(use="household", state="active", recorded_to=None).values("household")
        found = Household.objects.order_by("id")
        found = found.filter(pk__in=cards) if carded else found
        return [h for h in found if Membership.objects.filter(household=h).count() >= members_min][nth]


def staff(post: Post, of: Household) -> Actor:
    """Whoever holds `post` at the township of the household."""
    return actor(post, of.division[:9] + "000")


def other_staff(post: Post, of: Household) -> Actor:
    """The same post in another township."""
    with reading(officer()):
        others = Office.objects.filter(kind=OfficeKind.TOWNSHIP).exclude(division=of.division[:9] + "000")
        return_to = others.order_by("division").first().division
    return actor(post, return_to)


def cooling_time(days: int, on: date = NOW) -> CardRule:
    """The county's cooling time, proposed by one and agreed to by another."""
    rule = propose_cooling_time(by=officer(), on=on, days=days, basis=f"纪要 {days}")
    return settle_cooling_time(by=approver(), on=on, rule=rule.pk, agreed=True)


def approver() -> Actor:
    return actor(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)


def members(of: Household) -> list[Membership]:
    """Present members, head first."""
    with reading(officer()):
        rows = Membership.objects.filter(household=of, recorded_to=None, valid_to=None).select_related("person")
        return sorted(rows, key=lambda row: (row.relation != "户主", row.pk))


def card_of(of: Household) -> Card:
    with reading(officer()):
        return Card.objects.get(household=of, use="household", state="active", recorded_to=None)

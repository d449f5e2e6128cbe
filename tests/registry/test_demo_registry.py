"""The registered stage: the generated county is in the registry, its clashes wait (REG-01, REG-04)."""

from huimin.demo.actors import actor
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household, Membership, Person, WorkItem


def test_everybody_is_registered_once_or_waits(shared_county):
    shared_county("registered")
    officer = actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    with reading(officer):
        assert Person.objects.count() == Membership.objects.count()
        assert Household.objects.count() > 100
        kinds = set(WorkItem.objects.values_list("kind", flat=True))
    assert {"bad_identity", "shared_card"} <= kinds

"""The organised stage: every office of the county and a person in every post (ORG-02, SEC-02)."""

from huimin.demo.actors import actor
from huimin.organisation.acting import reading
from huimin.organisation.models import Account, Appointment, Office
from huimin.organisation.posts import POSTS_OF, OfficeKind, Post

MEISHAN = "341524100000"


def test_every_office_has_a_person_in_every_post(shared_county):
    shared_county("organised")
    clerk = actor(Post.CLERK, MEISHAN)
    with reading(clerk):
        offices = list(Office.objects.all())
    held = set(Appointment.objects.values_list("office_id", "post"))
    assert len(offices) == 1 + 6 + 23 + 232
    assert all((office.pk, post) in held for office in offices for post in POSTS_OF[office.kind])
    assert Account.objects.filter(must_change_password=True).count() == 1


def test_actor_is_found_by_kind_and_by_place(shared_county):
    shared_county("organised")
    assert actor(Post.CLERK, MEISHAN).office_name == "梅山镇为民服务中心"
    civil = actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS).programmes
    assert "dibao-rural" in civil and "elderly-allowance" in civil, "every programme written with its department"
    assert "reservoir-migrant" not in civil
    assert actor(Post.BANK_OPERATOR, OfficeKind.BANK).audience == "bank"

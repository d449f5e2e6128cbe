"""The kinship file: yearly declarations, who is due, what the county settles, who reads it (REG-10)."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import ProgrammingError

from huimin.audit.models import Event, Signature
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kernel.identity import check_digit
from huimin.kinship import declaring, queries
from huimin.kinship.models import Declaration, Recusal, Relative
from huimin.kinship.recusal import Recused, require_not_related
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.commands import appoint
from huimin.organisation.posts import OfficeKind, Post
from tests.kinship.people import DECLARED, declare, kin_of
from tests.registry.people import household, members, officer, other_staff, staff

NOT_REGISTERED = "34159919500307881" + check_digit("34159919500307881")


@pytest.fixture
def home(county):
    county("registered")
    return household()


def first(of):
    return members(of)[0].person


def test_a_declaration_is_signed_and_ties_the_relative_reg_10(home):
    clerk = staff(Post.CLERK, home)
    made = declare(clerk, first(home))
    with reading(officer()):
        row = Relative.objects.get()
        assert (row.person_id, row.state, row.division) == (first(home).pk, "found", "341524000000")
        assert (made.year, made.number, made.relatives) == (2021, 1, 1)
        assert Signature.objects.get(pk=made.signature_id).act == "近亲属申报"
        [related] = queries.list_related_households("341524", DECLARED)
        assert (related.household, related.relation) == (home.pk, "兄弟姐妹")
    with pytest.raises(AlreadyDone):
        declare(clerk, first(home))
    added = declare(clerk, members(home)[1].person)
    assert (added.number, added.relatives) == (2, 2)


def test_none_is_declared_and_what_is_wrong_is_refused_by_name_reg_10(home):
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    nothing = {"on": DECLARED, "relatives": []}
    assert declaring.declare_kin(by=clerk, none=True, **nothing).relatives == 0
    with pytest.raises(AlreadyDone, match="今年已经申报过"):
        declaring.declare_kin(by=clerk, none=True, **nothing)
    with pytest.raises(BadInput, match="没有写亲属"):
        declaring.declare_kin(by=reviewer, none=False, **nothing)
    with pytest.raises(BadInput, match="既选了没有"):
        declaring.declare_kin(by=reviewer, on=DECLARED, relatives=[kin_of(first(home))], none=True)
    with pytest.raises(BadInput, match="号码与姓名不符"):
        declare(reviewer, first(home), name="别的人")
    with pytest.raises(BadInput, match="没有登记"):
        declare(reviewer, first(home), id_number=NOT_REGISTERED)
    with pytest.raises(BadInput, match="没有选择关系"):
        declare(reviewer, first(home), relation="friend")
    with pytest.raises(BadInput, match="写了两次"):
        declare(reviewer, first(home), first(home))
    with pytest.raises(NotYourPost):
        declaring.declare_kin(by=actor(Post.BANK_OPERATOR, OfficeKind.BANK), none=True, **nothing)
    declare(reviewer, first(home))
    with pytest.raises(BadInput, match="还有 1 位"):
        declaring.declare_kin(by=reviewer, on=date(2022, 1, 5), relatives=[], none=True)
    again = declaring.declare_kin(by=reviewer, on=date(2022, 1, 5), relatives=[], none=False)
    assert (again.year, again.relatives) == (2022, 1)


def test_a_relative_elsewhere_is_kept_as_text_and_the_county_ties_him_reg_10(home):
    stranger = other_staff(Post.CLERK, home)
    with pytest.raises(BadInput, match="按文字备案"):
        declare(stranger, first(home))
    declare(stranger, first(home), as_text=True)
    with reading(officer()):
        assert queries.count_unsettled("341524") == 1
        assert [each.household for each in queries.list_related_households("341524", DECLARED)] == [home.pk]
    assert declaring.link_relatives(by=officer(), on=DECLARED) == 1
    assert declaring.link_relatives(by=officer(), on=DECLARED) == 0
    with reading(officer()):
        assert Relative.objects.get().person_id == first(home).pk
    with pytest.raises(NotYourPost):
        declaring.link_relatives(by=stranger, on=DECLARED)
    with pytest.raises(declaring.NotOfTheFile):
        declaring.link_relatives(by=actor(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE), on=DECLARED)


def test_the_county_settles_and_ends_and_nobody_his_own_reg_10(home):
    clerk = staff(Post.CLERK, home)
    declare(clerk, first(home), id_number=NOT_REGISTERED, as_text=True)
    declare(officer(), first(home))
    with reading(officer()):
        text, own = Relative.objects.order_by("id")
    keep = {"by": officer(), "on": DECLARED, "relative": text.pk}
    with pytest.raises(BadInput):
        declaring.settle_relative(**keep, settlement=" ")
    assert declaring.settle_relative(**keep, settlement="经查户籍在外省").state == "outside"
    with pytest.raises(AlreadyDone):
        declaring.settle_relative(**keep, settlement="经查户籍在外省")
    with pytest.raises(SamePerson):
        declaring.end_relative(by=officer(), on=DECLARED, relative=own.pk, reason="已离婚")
    civil = actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    declaring.end_relative(by=civil, on=DECLARED, relative=own.pk, reason="已离婚，见离婚证")
    with pytest.raises(AlreadyDone):
        declaring.end_relative(by=civil, on=DECLARED, relative=own.pk, reason="再来一次")
    with reading(officer()):
        require_not_related(officer(), DECLARED, [home.pk])


def test_the_file_is_the_countys_and_ones_own_reg_10(home):
    """A township sees what names its own account and nothing of a colleague; under a second appointment too."""
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    declare(clerk, first(home))
    for model in (Relative, Declaration):
        with reading(clerk):
            assert model.objects.count() == 1
        with reading(reviewer):
            assert model.objects.count() == 0
        with reading(officer()):
            assert model.objects.count() == 1
    with pytest.raises(ProgrammingError, match="row-level security"), reading(reviewer):
        Recusal.objects.create(
            division="341524000000", account=clerk.account, officer="x", household_id=home.pk, household_no="1", act="x",
            subject="x", request="x", left_on=DECLARED,
        )  # fmt: skip
    elsewhere = other_staff(Post.CLERK, home)
    administrator = actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)
    held = appoint(by=administrator, on=DECLARED, account=clerk.account, post=Post.CLERK, office=elsewhere.office)
    second = replace(clerk, appointment=held.pk)
    with reading(second), pytest.raises(Recused):
        require_not_related(second, DECLARED, [home.pk])


def test_who_has_not_declared_is_listed_with_his_last_day_reg_10(home):
    clerk = staff(Post.CLERK, home)
    declare(clerk, first(home))
    rule = {"on": DECLARED, "within_days": 30, "basis": "县纪要 3 号"}
    with pytest.raises(NotYourPost):
        declaring.set_kinship_rule(by=clerk, **rule)
    with pytest.raises(BadInput):
        declaring.set_kinship_rule(by=officer(), **rule | {"within_days": 0})
    declaring.set_kinship_rule(by=officer(), **rule)
    with reading(officer()):
        days = queries.within_days("341524000000")
        rows = queries.list_officers("341524", DECLARED, days)
        own = queries.list_officers(clerk.prefix, DECLARED, days, account=clerk.account)
        shares = queries.by_township(rows, DECLARED)
    assert days == 30 and rows[0].due == date(2021, 1, 30) and rows[0].overdue(DECLARED)
    assert rows[-1].signed_on == DECLARED and not rows[-1].overdue(DECLARED)
    assert [each.relatives for each in own] == [1]
    assert sum(each.officers for each in shares) == len(rows)
    assert [each.declared for each in shares if each.division == clerk.division] == [1]
    with reading(officer()):
        assert Event.objects.filter(kind="refused", subject="set_kinship_rule").count() == 2

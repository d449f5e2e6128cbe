"""Emergency relief: help first, papers later; the petty fund never below zero; four eyes (DET-05, SEC-02)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from huimin.audit.models import Signature
from huimin.casework import relief as room
from huimin.casework.models import PettyEntry, PettyFund, Relief
from huimin.casework.relief import (
    MeetingAgainst,
    MeetingFirst,
    NoPettyFund,
    PettyFundExhausted,
    approve_relief,
    booked_sum,
    confirm_topup,
    file_papers,
    list_owing,
    page_reliefs,
    propose_topup,
    record_meeting,
    record_relief,
    refuse_relief,
    set_up_fund,
)
from huimin.database.personal import ID_NUMBER, plain
from huimin.demo.actors import actor
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput
from huimin.kernel.working_days import add_working_days
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household, Membership
from huimin.registry.snapshots import NotRegistered

At = Callable[[str], str]
DAY = date(2021, 7, 5)


@pytest.fixture(autouse=True)
def place(county: At) -> str:
    county("adopted")
    return townships()[0]


def clerk() -> Actor:
    return actor(Post.CLERK, townships()[0])


def head() -> Actor:
    return actor(Post.TOWNSHIP_HEAD, townships()[0])


def fund(balance_fen: int = 500_000, limit_fen: int = 200_000) -> PettyFund:
    finance = actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    made = set_up_fund(by=finance, on=DAY, division=townships()[0], limit_fen=limit_fen, basis="县民政局2021年3号")
    if balance_fen:
        entry = propose_topup(by=finance, on=DAY, division=townships()[0], amount_fen=balance_fen, note="拨款凭证1号")
        confirm_topup(by=actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE), on=DAY, entry_id=entry.pk)
    with reading(finance):
        made.refresh_from_db()
    return made


def households() -> list[int]:
    with reading(clerk()):
        return list(Household.objects.filter(closed_on=None).order_by("pk").values_list("pk", flat=True)[:5])


def case(amount_fen: int = 100_000, number: int = 0, **more: object) -> Relief:
    told = {"cause": "fire", "story": "住房失火，衣被烧毁", "happened_on": DAY, "amount_fen": amount_fen}
    return record_relief(**{"by": clerk(), "on": DAY, "household": households()[number], **told, **more})  # type: ignore[arg-type]


def balance() -> int:
    with reading(head()):
        made = PettyFund.objects.get()
        assert booked_sum(made.pk) == made.balance_fen
    return made.balance_fen


def test_helped_at_once_and_papers_follow() -> None:
    """DET-05: recorded, approved, paid in one transaction; papers due after ten working days, late ones are found."""
    fund()
    made = case()
    assert (made.state, made.collective, made.papers_due_on) == ("recorded", False, add_working_days(DAY, 10))
    paid = approve_relief(by=head(), on=DAY, relief_id=made.pk)
    assert (paid.state, balance()) == ("paid", 400_000)
    late = paid.papers_due_on + timedelta(days=1)
    by = clerk()
    with reading(by):
        assert [each.pk for each in list_owing(by.prefix)] == [made.pk]
        assert not page_reliefs(by.prefix, "overdue", paid.papers_due_on).rows
        assert [each.pk for each in page_reliefs(by.prefix, "overdue", late)] == [made.pk]
        assert Signature.objects.filter(act="批准急难救助", subject=f"relief:{made.pk}").count() == 1
    file_papers(by=clerk(), on=late, relief_id=made.pk, papers="火灾证明、身份证复印件、领款签字")
    with reading(by):
        assert not list_owing(by.prefix)
    with pytest.raises(AlreadyDone):
        file_papers(by=clerk(), on=late, relief_id=made.pk, papers="再一次")


def test_twice_clicked_pays_once() -> None:
    """DET-05: the second approval is refused and takes nothing."""
    fund()
    made = case()
    approve_relief(by=head(), on=DAY, relief_id=made.pk)
    with pytest.raises(AlreadyDone):
        approve_relief(by=head(), on=DAY, relief_id=made.pk)
    assert balance() == 400_000
    case()
    with pytest.raises(AlreadyDone, match="已有一件"):
        case()


def test_the_fund_never_goes_below_zero() -> None:
    """DET-05: refused in words, nothing half done; the database refuses by itself."""
    fund(balance_fen=150_000)
    approve_relief(by=head(), on=DAY, relief_id=case(100_000).pk)
    made = case(100_000, number=1)
    with pytest.raises(PettyFundExhausted):
        approve_relief(by=head(), on=DAY, relief_id=made.pk)
    with reading(head()):
        made.refresh_from_db()
        assert made.state == "recorded"
        assert PettyEntry.objects.filter(kind="paid").count() == 1
    assert balance() == 50_000
    with pytest.raises(IntegrityError, match="petty_fund_not_negative"), transaction.atomic(using="maintenance"):
        PettyFund.objects.using("maintenance").update(balance_fen=-1)


def test_above_the_limit_a_meeting_decides() -> None:
    """DET-05: 一事一议 with attendants, votes and minutes; a majority; both before the head."""
    fund()
    made = case(200_001)
    assert made.collective
    with pytest.raises(MeetingFirst):
        approve_relief(by=head(), on=DAY, relief_id=made.pk)
    meeting = {"by": clerk(), "on": DAY, "relief_id": made.pk, "held_on": DAY, "minutes": "情况属实"}
    for attendants, in_favour in ((["甲", "乙"], 2), (["甲", "乙", "乙"], 3), (["甲", "乙", "丙"], 4)):
        with pytest.raises(BadInput):
            record_meeting(**meeting, attendants=attendants, in_favour=in_favour)  # type: ignore[arg-type]
    record_meeting(**meeting, attendants=["甲", "乙", "丙"], in_favour=2)  # type: ignore[arg-type]
    with pytest.raises(AlreadyDone):
        record_meeting(**meeting, attendants=["甲", "乙", "丙"], in_favour=3)  # type: ignore[arg-type]
    assert approve_relief(by=head(), on=DAY, relief_id=made.pk).state == "paid"
    other = case(300_000, number=1)
    record_meeting(**{**meeting, "relief_id": other.pk}, attendants=["甲", "乙", "丙", "丁"], in_favour=2)  # type: ignore[arg-type]
    with pytest.raises(MeetingAgainst):
        approve_relief(by=head(), on=DAY, relief_id=other.pk)
    refuse_relief(by=head(), on=DAY, relief_id=other.pk, refusal="会议没有同意")
    assert balance() == 299_999


def test_the_policys_limit_counts_when_it_is_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-05: 乡镇审批限额 of the policy in force; a limit lowered after recording holds at the approval, too."""
    fund()
    made = case(100_000)
    monkeypatch.setattr(room, "limit_of", lambda *_: 99_999)
    with pytest.raises(MeetingFirst):
        approve_relief(by=head(), on=DAY, relief_id=made.pk)
    assert case(100_000, number=1).collective


def test_four_eyes_on_money_given_to_the_fund() -> None:
    """PAY-03: entered by one of finance, counted when another confirmed it; once."""
    fund(balance_fen=0)
    finance = actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    entry = propose_topup(by=finance, on=DAY, division=townships()[0], amount_fen=100, note="凭证2号")
    assert balance() == 0
    with pytest.raises(NotYourPost):
        confirm_topup(by=finance, on=DAY, entry_id=entry.pk)
    releaser = actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    wrong = propose_topup(by=finance, on=DAY, division=townships()[0], amount_fen=999, note="重复")
    confirm_topup(by=releaser, on=DAY, entry_id=wrong.pk, agreed=False)
    confirm_topup(by=releaser, on=DAY, entry_id=entry.pk)
    with pytest.raises(AlreadyDone):
        confirm_topup(by=releaser, on=DAY, entry_id=entry.pk)
    assert balance() == 100


def test_who_may_and_where() -> None:
    """SEC-02, SEC-03: clerk records, head approves, each in the own township; the recorder never approves."""
    fund()
    with pytest.raises(NotYourPost):
        case(by=head())
    with pytest.raises((NotYourPlace, NotRegistered)):
        case(by=actor(Post.CLERK, townships()[1]))
    made = case()
    with pytest.raises(NotYourPost):
        approve_relief(by=clerk(), on=DAY, relief_id=made.pk)
    with pytest.raises(Relief.DoesNotExist):
        approve_relief(by=actor(Post.TOWNSHIP_HEAD, townships()[1]), on=DAY, relief_id=made.pk)
    Relief.objects.using("maintenance").update(recorded_by=head().appointment)
    with pytest.raises(SamePerson):
        approve_relief(by=head(), on=DAY, relief_id=made.pk)


def test_what_cannot_be_is_refused() -> None:
    """DET-05: no fund, no story, tomorrow's fire, nothing, too much, a stranger, a refusal without a reason."""
    with pytest.raises(NoPettyFund):
        case()
    fund()
    with reading(clerk()):
        elsewhere = Membership.objects.exclude(household=households()[0]).values_list("person", flat=True)[0]
    for wrong in (
        {"story": " "}, {"cause": "x"}, {"happened_on": DAY + timedelta(days=1)}, {"amount_fen": 0},
        {"amount_fen": 10**12}, {"person": elsewhere},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            case(**wrong)
    made = case()
    with pytest.raises(BadInput):
        refuse_relief(by=head(), on=DAY, relief_id=made.pk, refusal=" ")
    with pytest.raises(AlreadyDone):
        file_papers(by=clerk(), on=DAY, relief_id=made.pk, papers="还没有救助")
    finance = actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    with pytest.raises(BadInput):
        set_up_fund(by=finance, on=DAY, division="341524000000", limit_fen=1, basis="x")


# Somebody from elsewhere, helped where the emergency is (CASE-01, SEC-03).


def guest(**told):
    given = {
        "by": clerk(), "on": DAY, "guest": "李远行", "id_number": "", "home": townships()[1], "cause": "accident",
        "story": "路过本镇遇车祸，身无分文", "happened_on": DAY, "amount_fen": 80_000,
    }  # fmt: skip
    return room.record_guest(**{**given, **told})


def member_elsewhere() -> tuple[Actor, int, int, str]:
    """The clerk of the second township, and a household there with its head and his number."""
    there = actor(Post.CLERK, townships()[1])
    with reading(there):
        row = (
            Membership.objects.filter(relation="户主", recorded_to=None, valid_to=None).select_related("person").first()
        )
        return there, row.household_id, row.person_id, plain(row.person.id_number_enc, ID_NUMBER)


def test_who_lives_elsewhere_is_helped_where_the_emergency_is_and_his_home_ties_him_case_01() -> None:
    fund()
    there, household, person, number = member_elsewhere()
    made = guest(id_number=number)
    with pytest.raises(AlreadyDone, match="已有一件急难救助"):
        guest(id_number=number)
    approve_relief(by=head(), on=DAY, relief_id=made.pk)
    with reading(there):
        [seen] = page_reliefs(there.prefix, room.ABROAD, DAY)
        assert (seen.pk, seen.state, seen.amount_fen) == (made.pk, "paid", 80_000)
        assert room.list_untied(there.prefix) == [seen] and not list(page_reliefs(there.prefix, "", DAY))
        assert not PettyEntry.objects.exists(), "the fund of another township is not his to see"
    tied = room.tie_guest(by=there, on=DAY, relief_id=made.pk, household=household, person=person)
    assert (tied.household_id, tied.person_id) == (household, person)
    with pytest.raises(AlreadyDone, match="已经认领"):
        room.tie_guest(by=there, on=DAY, relief_id=made.pk, household=household, person=person)
    with reading(there):
        assert not room.list_untied(there.prefix)
    with reading(clerk()):
        row = Relief.objects.select_related("household").get(pk=made.pk)
        assert row.whom == "李远行" and row.household is None, "the household stays invisible here"
        assert not Household.objects.filter(pk=household).exists()


def test_a_guest_is_seen_by_two_places_only_and_decided_at_one_sec_03() -> None:
    fund()
    there, household, person, number = member_elsewhere()
    made = guest(id_number=number)
    third = actor(Post.CLERK, townships()[2])
    with reading(third):
        assert not Relief.objects.exists()
    with pytest.raises(NotYourPlace):
        approve_relief(by=actor(Post.TOWNSHIP_HEAD, townships()[1]), on=DAY, relief_id=made.pk)
    with pytest.raises(NotYourPlace):
        room.tie_guest(by=third, on=DAY, relief_id=made.pk, household=household, person=person)
    with reading(there):
        other = Membership.objects.filter(household=household, recorded_to=None).exclude(person=person).first()
    if other:
        with pytest.raises(BadInput, match="不一致"):
            room.tie_guest(by=there, on=DAY, relief_id=made.pk, household=household, person=other.person_id)


def test_a_guest_without_papers_is_helped_and_wrong_input_is_told_case_01() -> None:
    fund()
    assert guest(home="").whom == "李远行"
    with reading(clerk()):
        here = Membership.objects.filter(relation="户主", recorded_to=None).select_related("person").first()
        number = plain(here.person.id_number_enc, ID_NUMBER)
    for wrong, told in (
        ({"id_number": number}, "登记在本乡镇"), ({"id_number": "34152419990230001X"}, "证件号码"),
        ({"home": townships()[0]}, "户籍地"), ({"home": "999999999999"}, "户籍地"), ({"guest": " "}, "姓名"),
        ({"happened_on": DAY + timedelta(days=1)}, "还没有到"), ({"amount_fen": 0}, "金额"), ({"story": ""}, "急难情形"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=told):
            guest(**wrong)
    with pytest.raises(NotYourPost):
        guest(by=head())

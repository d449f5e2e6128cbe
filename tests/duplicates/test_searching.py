"""Near-identical people found across the county: scored, in words, each pair once (REG-04)."""

from datetime import date

import pytest

from huimin.database.bulk import fetch
from huimin.demo.actors import actor
from huimin.duplicates.commands import answer_inquiry, ask_village, dismiss_pair
from huimin.duplicates.models import Inquiry, Pair
from huimin.duplicates.scoring import in_words, near_two, near_year
from huimin.duplicates.searching import request_search
from huimin.duplicates.variants import FROM, TO, folded
from huimin.kernel.errors import BadInput
from huimin.kernel.pinyin import person_key
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.models import Card, Person
from huimin.registry.snapshots import NotRegistered
from tests.duplicates.people import homes, person_of, search, second_record
from tests.registry.people import NOW, officer, other_staff, staff


def pair_of(one, other):
    with reading(officer()):
        first, second = sorted((one.pk, other.pk))
        return Pair.objects.filter(first=first, second=second).first()


def renamed(person, name, born=None):
    """As somebody wrote it down elsewhere; the pinyin follows."""
    with reading(officer()):
        person.name, person.name_pinyin = name, person_key(name)
        person.birth_date = born or person.birth_date
        person.save(update_fields=["name", "name_pinyin", "birth_date"])
    return person


@pytest.fixture
def two(county):
    county("adopted")
    return homes(2)


CASES = (
    ("张伟", "张伟", date(1978, 3, 12), 90, ["name_same", "born_same"]),
    ("张伟", "章伟", date(1978, 3, 12), 80, ["name_sound", "born_same"]),
    ("張偉明", "张伟明", date(1978, 3, 12), 88, ["name_variant", "born_same"]),
    ("张建国", "张建军", date(1978, 3, 12), None, []),
    ("张伟", "张伟", date(1978, 12, 3), 80, ["name_same", "born_swapped"]),
    ("张伟", "张伟", date(1978, 3, 21), 75, ["name_same", "born_turned"]),
    ("张伟", "张伟", date(1978, 3, 17), 72, ["name_same", "born_digit"]),
    ("张伟", "张伟", date(1987, 3, 12), 75, ["name_same", "born_turned"]),
    ("张伟", "张伟", date(1968, 3, 12), None, []),
    ("章伟", "张伟", date(1978, 3, 17), None, []),
    ("张伟", "李军", date(1978, 3, 12), None, []),
)


def test_scores_reg_04(two):
    """Two records in one township, of different villages; below 70 nothing is listed."""
    by = officer()
    with reading(by):
        heads = Person.objects.filter(sex="男", closed_on=None, memberships__relation="户主").order_by("id")
        men = list(heads[: 2 * len(CASES)])
        for at, each in enumerate(men):
            each.division = f"341524100{at % 2 + 1:03d}"
            each.save(update_fields=["division"])
    people = list(zip(men[::2], men[1::2], strict=True))
    assert len(people) == len(CASES)
    for (one, other), (mine, theirs, born, _, _) in zip(people, CASES, strict=True):
        renamed(one, mine, date(1978, 3, 12)), renamed(other, theirs, born)
    search()
    for (one, other), (mine, theirs, born, score, reasons) in zip(people, CASES, strict=True):
        found = pair_of(one, other)
        told = (found.score, found.reasons, found.state, found.division) if found else None
        wanted = (score, [*reasons, "township", "sex_same"], "open", one.division[:9] + "000") if score else None
        assert told == wanted, (mine, theirs, born)


def test_one_character_counts_in_the_same_village_reg_04(two):
    one = renamed(person_of(two[0]), "张建国", date(1978, 3, 12))
    with reading(officer()):
        other = Person.objects.exclude(pk=one.pk).filter(sex=one.sex).exclude(memberships__household=two[0]).first()
        Person.objects.filter(pk=other.pk).update(division=one.division)
    other = renamed(other, "张建军", date(1978, 3, 12))
    search()
    found = pair_of(one, other)
    assert found.score == 75 and found.division == one.division[:12]
    assert in_words(found.reasons, "张建国", "张建军") == "姓名只差一字：张建国／张建军；出生日期相同；同村；性别相同"


def test_a_search_again_adds_only_what_is_new_reg_04(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    assert "新的" in search()
    with reading(officer()):
        first = {row.pk: row.found_on for row in Pair.objects.all()}
    assert "其中新的 0 对" in search()
    with reading(officer()):
        assert {row.pk: row.found_on for row in Pair.objects.all()} == first
    found = pair_of(one, other)
    row = dismiss_pair(by=staff(Post.CLERK, two[0]), on=NOW, pair=found.pk, judgement="是堂兄弟，户口簿为证")
    assert row.state == "dismissed"
    search()
    assert pair_of(one, other).state == "dismissed"
    with pytest.raises(AlreadyDone):
        dismiss_pair(by=staff(Post.CLERK, two[0]), on=NOW, pair=found.pk, judgement="再判断一次")


def test_a_corrected_record_lapses_and_comes_back_reg_04(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    name, born = other.name, other.birth_date
    search()
    renamed(other, "欧阳不同")
    assert "不再相似 1 对" in search()
    assert pair_of(one, other).state == "lapsed"
    renamed(other, name, born)
    search()
    assert pair_of(one, other).state == "open"


def test_the_village_is_asked_and_answers_once_reg_04(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    search()
    pair = pair_of(one, other)
    clerk = staff(Post.CLERK, two[0])
    asked = ask_village(by=clerk, on=NOW, pair=pair.pk, question="看户口簿，是否同一人")
    assert {row.division for row in asked} == {one.division[:12], other.division[:12]}
    with pytest.raises(AlreadyDone):
        ask_village(by=clerk, on=NOW, pair=pair.pk, question="再问一次是不是")
    mine = next(row for row in asked if row.person_id == one.pk)
    village = actor(Post.INFORMATION_OFFICER, one.division[:12])
    with pytest.raises(BadInput):
        answer_inquiry(by=village, on=NOW, inquiry=mine.pk, answer="maybe", note="去看过")
    with pytest.raises(BadInput):
        answer_inquiry(by=village, on=NOW, inquiry=mine.pk, answer="same", note=" ")
    answer_inquiry(by=village, on=NOW, inquiry=mine.pk, answer="same", note="入户看了户口簿")
    with pytest.raises(AlreadyDone):
        answer_inquiry(by=village, on=NOW, inquiry=mine.pk, answer="other", note="改主意了")
    with reading(officer()):
        assert Inquiry.objects.get(pk=mine.pk).get_answer_display() == "是同一人"
        assert Pair.objects.get(pk=pair.pk).state == "asked"


def test_who_may_search_and_judge_reg_04_sec_03(two):
    with pytest.raises(NotYourPost):
        request_search(by=staff(Post.CLERK, two[0]), on=NOW)
    assert request_search(by=officer(), on=NOW).pk == request_search(by=officer(), on=NOW).pk
    one = person_of(two[0])
    other = second_record(one, two[1])
    search()
    pair = pair_of(one, other)
    with pytest.raises(NotRegistered):
        dismiss_pair(by=other_staff(Post.CLERK, two[0]), on=NOW, pair=pair.pk, judgement="不是同一人")
    with pytest.raises(NotYourPost):
        dismiss_pair(by=staff(Post.SETTLEMENT, two[0]), on=NOW, pair=pair.pk, judgement="不是同一人")
    with pytest.raises(BadInput):
        dismiss_pair(by=staff(Post.CLERK, two[0]), on=NOW, pair=pair.pk, judgement="")


def test_a_pair_of_two_townships_is_the_countys_reg_04_sec_03(county):
    county("adopted")
    here, there = homes(2, same_township=False)
    one = person_of(here)
    other = second_record(one, there)
    search()
    pair = pair_of(one, other)
    assert pair.division == one.division[:6] + "000000"
    for home in (here, there):
        with reading(staff(Post.CLERK, home)):
            assert not Pair.objects.filter(pk=pair.pk).exists()
    dismiss_pair(by=officer(), on=NOW, pair=pair.pk, judgement="两地各有其人，已核对")


def test_one_account_or_one_number_in_two_records_is_listed_whatever_differs_reg_04(two):
    """An account that was another's before; the number of somebody who died, registered anew."""
    by, one, dead = officer(), person_of(two[0]), person_of(two[0], 0)
    with reading(by):
        card = Card.objects.filter(holder=dead, recorded_to=None, state="active").first()
        assert card is not None
        card.state, card.valid_to = "closed", NOW
        card.save(update_fields=["state", "valid_to"])
        Card.objects.create(
            use="person", holder=one, household=two[0], division=one.division, account_enc=card.account_enc,
            account_hash=card.account_hash, account_tail=card.account_tail, account_name=one.name, valid_from=NOW,
        )  # fmt: skip
        gone = Person.objects.exclude(pk__in=[one.pk, dead.pk]).order_by("id").first()
        Person.objects.filter(pk=gone.pk).update(closed_on=NOW)
        anew = Person.objects.create(
            name="欧阳不同", name_pinyin="ou yang bu tong", division=gone.division, id_number_enc=gone.id_number_enc,
            id_number_hash=gone.id_number_hash, sex=gone.sex, birth_date=gone.birth_date,
        )  # fmt: skip
    search()
    shared, same = pair_of(one, dead), pair_of(gone, anew)
    assert (shared.kind, "account" in shared.reasons) == ("account", True)
    assert (same.kind, same.score, same.reasons[0]) == ("number", 100, "number")


def one_slip(one, other, width):
    """One other digit, or two neighbours exchanged."""
    one, other = f"{one:0{width}d}", f"{other:0{width}d}"
    turned = [one[:at] + one[at + 1] + one[at] + one[at + 2 :] for at in range(width - 1)]
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1 or (one != other and other in turned)


def test_slips_of_a_date_are_told_as_one_would_count_them(county):
    """Every pair of years of a century, and of days of a month, against a count of digits."""
    county("adopted")
    for near, low, high, width in ((near_year, 1930, 2029, 4), (near_two, 1, 31, 2)):
        found = fetch(
            f"SELECT a, b FROM generate_series({low}, {high}) a, generate_series({low}, {high}) b WHERE {near('a', 'b')}"
        )
        span = range(low, high + 1)
        assert set(found) == {(a, b) for a in span for b in span if one_slip(a, b, width)}


def test_folding_is_of_single_characters():
    assert len(FROM) == len(TO) and len(set(FROM)) == len(FROM)
    assert folded(folded("張偉")) == folded("張偉") == "张伟"
    assert not set(FROM) & set(TO)

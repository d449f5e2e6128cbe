"""Second records for the tests of duplicates: invented, made through the registry's own commands."""

from datetime import date

from huimin.casework.changes import Told, confirm_change, enter_change
from huimin.duplicates.comparing import fields_of, side_of
from huimin.duplicates.merging import Wish
from huimin.duplicates.searching import request_search
from huimin.jobs.working import work_until_done
from huimin.kernel.identity import check_digit
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.registry.models import Household, Membership, Person
from tests.registry.people import NOW, officer, staff


def number_of(born: date, serial: int) -> str:
    first = f"341599{born:%Y%m%d}{serial:03d}"
    return first + check_digit(first)


def second_record(
    of: Person, home: Household, name: str = "", born: date | None = None, serial: int = 0, on: date = NOW
) -> Person:
    """The same person once more, in another household, under a number of his own."""
    born = born or of.birth_date
    serial = serial or (901 if of.sex == "男" else 902)
    payload = {"name": name or of.name, "id_number": number_of(born, serial), "relation": "其他", "facts": {}}
    told = Told("arrival", home.pk, on, "村信息员报告，见证明", payload)
    row = enter_change(by=staff(Post.CLERK, home), on=on, told=told)
    if row.state == "entered":
        confirm_change(by=staff(Post.REVIEWER, home), on=on, change=row.pk)
    with reading(officer()):
        return Person.objects.order_by("-pk").first()


def person_of(home: Household, nth: int = 1) -> Person:
    with reading(officer()):
        rows = Membership.objects.filter(household=home, recorded_to=None, valid_to=None).select_related("person")
        return sorted(rows, key=lambda row: (row.relation != "户主", row.pk))[nth].person


def homes(count: int = 2, members_min: int = 2, same_township: bool = True) -> list[Household]:
    """So many open households, the first ones of one township or of as many."""
    with reading(officer()):
        rows = list(Household.objects.filter(closed_on=None).order_by("division", "id"))
        sizes = {h.pk: Membership.objects.filter(household=h, recorded_to=None, valid_to=None).count() for h in rows}
        rows = [h for h in rows if sizes[h.pk] >= members_min]
        if same_township:
            places = [h.division[:9] for h in rows]
            best = max(set(places), key=places.count)
            return [h for h in rows if h.division[:9] == best][:count]
        found: dict[str, Household] = {}
        for each in rows:
            found.setdefault(each.division[:9], each)
        return list(found.values())[:count]


def search(on: date = NOW) -> str:
    job = request_search(by=officer(), on=on)
    return work_until_done(job.pk, officer()).outcome


def wish(survivor: Person, absorbed: Person, **chosen: str) -> Wish:
    """Everything as the survivor has it, but what is named."""
    by = officer()
    with reading(by):
        sides = side_of(survivor, NOW), side_of(absorbed, NOW)
        asked = {each.code: "survivor" for each in fields_of(by, *sides) if each.choosable}
    return Wish(survivor.pk, absorbed.pk, asked | chosen, {}, "核对户口簿，是同一人")

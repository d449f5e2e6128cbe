"""A few people registered twice, found again, and two of the records made one (REG-04).

in    the registry after the quarter's payments; the clerks and reviewers of townships
out   second records of invented people, entered as arrivals under numbers of their own; pairs; one merge confirmed, one
      proposed, one question to the villages

A large county's search is left to the background process (`./huimin work`, started with the site). Repeating the step adds
nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from huimin.casework.changes import Told, confirm_change, enter_change
from huimin.database.bulk import fetch
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County, Figures
from huimin.demo.refusing import must_refuse
from huimin.duplicates.commands import ask_village
from huimin.duplicates.comparing import fields_of, side_of
from huimin.duplicates.merging import Wish, confirm_merge, propose_merge
from huimin.duplicates.models import Merge, Pair
from huimin.duplicates.searching import request_search
from huimin.jobs.working import work_until_done
from huimin.kernel.identity import check_digit
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.commands.families import find_person
from huimin.registry.models import Person

SEARCHED_AT_ONCE_MAX = 100_000
_SOUND_ALIKE = {
    "伟": "玮",
    "丽": "莉",
    "军": "君",
    "芳": "方",
    "明": "鸣",
    "华": "桦",
    "平": "萍",
    "英": "瑛",
    "红": "虹",
    "林": "琳",
}
# Members who are no heads and hold nothing under way, and the next household of their township, in a fixed order.
_CANDIDATES = """
SELECT p.id, p.name, p.sex, p.birth_date, (
    SELECT min(h.id) FROM registry_household h
    WHERE left(h.division, 9) = left(p.division, 9) AND h.closed_on IS NULL AND h.id > m.household_id) AS home
FROM registry_person p JOIN registry_membership m ON m.person_id = p.id AND m.recorded_to IS NULL AND m.valid_to IS NULL
WHERE m.relation <> '户主' AND p.closed_on IS NULL AND p.birth_date < '2000-01-01'
  AND NOT EXISTS (SELECT FROM payment_rosterline l WHERE l.payee_id = p.id OR l.person_id = p.id)
ORDER BY p.id LIMIT 400
"""


@dataclass(frozen=True)
class Second:
    """A second record to be: of whom, how it is written, where."""

    of: int
    name: str
    born: date
    number: str
    home: int


def compare(county: County) -> Figures:
    """Register, search, judge. Figures are counted in the registry."""
    business_day(dates.COMPARED)
    officer = county_officer()
    with reading(officer):
        wanted = list(_seconds())
        done = Merge.objects.exists()
    made = [_register(each) for each in wanted]
    if county.people <= SEARCHED_AT_ONCE_MAX:
        work_until_done(request_search(by=officer, on=dates.COMPARED).pk, officer)
    elif not done:
        request_search(by=officer, on=dates.COMPARED)
    if not done and len(made) > 2:
        _judge(wanted, made)
    with reading(officer):
        return {"pairs": Pair.objects.count(), "merges": Merge.objects.count()}


def _seconds() -> Iterator[Second]:
    """The same name; a name read alike; day and month exchanged: one each, of different people."""
    rows = [row for row in fetch(_CANDIDATES) if row[4] is not None]
    tests = (
        lambda row: (row[1], row[3]),
        lambda row: (_sounding_alike(row[1]), row[3]),
        lambda row: (row[1], _exchanged(row[3])),
    )
    taken: set[int] = set()
    for write in tests:
        for row in rows:
            name, born = write(row)
            if row[0] not in taken and name and born:
                taken.add(row[0])
                yield Second(row[0], name, born, _number(born, row[2]), row[4])
                break


def _sounding_alike(name: str) -> str:
    other = name[:1] + "".join(_SOUND_ALIKE.get(each, each) for each in name[1:])
    return other if other != name else ""


def _exchanged(born: date) -> date | None:
    return date(born.year, born.day, born.month) if born.day <= 12 and born.day != born.month else None


def _number(born: date, sex: str) -> str:
    first = f"341599{born:%Y%m%d}{991 if sex == '男' else 992}"
    return first + check_digit(first)


def _register(second: Second) -> int:
    """The second record's number of row; entered once."""
    on = dates.COMPARED
    with reading(county_officer()):
        known = find_person(second.number, on)
        found = fetch("SELECT division FROM registry_household WHERE id = %s", [second.home])
    if known is not None:
        return known.pk
    township = found[0][0][:9] + "000"
    payload = {"name": second.name, "id_number": second.number, "relation": "其他"}
    told = Told("arrival", second.home, on, "演示：重复登记，见迁入申请", payload)
    row = enter_change(by=actor(Post.CLERK, township), on=on, told=told)
    if row.state == "entered":
        confirm_change(by=actor(Post.REVIEWER, township), on=on, change=row.pk)
    with reading(county_officer()):
        made = find_person(second.number, on)
        assert made is not None, "just registered"
        return made.pk


def _judge(wanted: list[Second], made: list[int]) -> None:
    """The first is merged, the second proposed, the third asked of the villages."""
    on = dates.COMPARED
    first, second = (_propose(each.of, number) for each, number in zip(wanted[:2], made[:2], strict=True))
    clerk, reviewer = (actor(post, first.division[:9] + "000") for post in (Post.CLERK, Post.REVIEWER))
    must_refuse(confirm_merge, NotYourPost, by=clerk, on=on, merge=first.pk)
    confirm_merge(by=reviewer, on=on, merge=first.pk)
    assert second.state == Merge.State.PROPOSED
    with reading(county_officer()):
        pair = Pair.objects.filter(first=min(wanted[2].of, made[2]), second=max(wanted[2].of, made[2])).first()
    if pair is not None:
        by = actor(Post.CLERK, pair.division[:9] + "000")
        ask_village(by=by, on=on, pair=pair.pk, question="请看户口簿和身份证，是不是同一个人")


def _propose(survivor: int, absorbed: int) -> Merge:
    on = dates.COMPARED
    with reading(county_officer()):
        people = Person.objects.in_bulk([survivor, absorbed])
    clerk = actor(Post.CLERK, people[survivor].division[:9] + "000")
    with reading(clerk):
        sides = side_of(people[survivor], on), side_of(people[absorbed], on)
        choices = {each.code: "survivor" for each in fields_of(clerk, *sides) if each.choosable}
    return propose_merge(
        by=clerk, on=on, wish=Wish(survivor, absorbed, choices, {}, "演示：核对户口簿和身份证，是同一人")
    )

"""First step: the divisions of the country's sample, the offices of 金寨县, and a person in every post.

in    data/divisions.csv; nothing else
out   offices, accounts and appointments made by the county's first administrator; the business date 2021-06-21

Repeating it adds only what is missing. People's names are invented and marked（演示）; all accounts share one password
and may sign in from this machine only. One account, `newcomer`, still has to change its issued password.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from django.conf import settings

from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor, demo_password
from huimin.demo.clock import business_day
from huimin.demo.quarter import County, Figures
from huimin.divisions.loading import load_divisions
from huimin.divisions.models import Division
from huimin.divisions.queries import list_beneath
from huimin.kernel.pinyin import compact
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, reading
from huimin.organisation.commands import appoint, establish_office, issue_account
from huimin.organisation.installation import install_first_administrator
from huimin.organisation.models import Account, Appointment, Office
from huimin.organisation.passwords import hash_password
from huimin.organisation.posts import POSTS_OF, OfficeKind, Post

IN_FORCE_SINCE = date(2020, 1, 1)  # divisions, offices and appointments are older than the quarter
NETWORKS = ("127.0.0.0/8", "::1/128")
LEADING_OFFICE = "金寨县惠民直达工程领导小组办公室"


def _written(department: str = "") -> tuple[str, ...]:
    """Codes of the programmes written in `policy/`, of one department when it is named."""
    return tuple(sorted(code for code, its in _heads().items() if department in ("", its)))


@cache
def _heads() -> dict[str, str]:
    """Programme code → 主管部门, as the policy files say at their beginning."""
    texts = (file.read_text(encoding="utf-8") for file in settings.POLICY_FOLDER.rglob("*.yaml"))
    heads = (dict(re.findall(r"^(项目|主管部门): (\S+)$", text, re.M)) for text in texts)
    return {head["项目"]: head["主管部门"] for head in heads if len(head) == 2}


ALL = _written()

COUNTY_OFFICES = (
    (OfficeKind.CIVIL_AFFAIRS, "金寨县民政局", _written("民政")),
    (OfficeKind.AGRICULTURE, "金寨县农业农村局", _written("农业农村")),
    (OfficeKind.WATER, "金寨县水利局（移民）", _written("水利")),
    (OfficeKind.FINANCE, "金寨县财政局", ALL),
    (OfficeKind.AUDIT, "金寨县审计局", ()),
    (OfficeKind.BANK, "金寨县代理银行（演示）", ()),
)
_USERNAMES = {
    Post.COUNTY_OFFICER: "officer",
    Post.LEADING_APPROVER: "approver",
    Post.ADMINISTRATOR: "administrator",
    Post.DEPARTMENT_OFFICER: "officer",
    Post.DEPARTMENT_APPROVER: "approver",
    Post.FINANCE_OFFICER: "officer",
    Post.FINANCE_RELEASER: "releaser",
    Post.ACCOUNTANT: "accountant",
    Post.SUPERVISOR: "supervisor",
    Post.BANK_OPERATOR: "operator",
    Post.CLERK: "clerk",
    Post.REVIEWER: "reviewer",
    Post.SETTLEMENT: "settlement",
    Post.TOWNSHIP_HEAD: "head",
    Post.INFORMATION_OFFICER: "informant",
}
_KIND_NAMES = {
    OfficeKind.LEADING_OFFICE: "county",
    OfficeKind.CIVIL_AFFAIRS: "civil",
    OfficeKind.AGRICULTURE: "agriculture",
    OfficeKind.WATER: "water",
    OfficeKind.FINANCE: "finance",
    OfficeKind.AUDIT: "audit",
    OfficeKind.BANK: "bank",
}
_SURNAMES = "陈李王张刘周吴徐胡朱高林何郭马罗梁宋郑谢韩唐冯于董程曹袁邓许"
_GIVEN = "文海建国晓明志远永强素芳家和立新春生丽华德厚思源长青"


@dataclass(frozen=True)
class Place:
    """One office to be: its kind, name, division, programmes, and how its people's user names begin."""

    kind: OfficeKind
    name: str
    division: str
    programmes: tuple[str, ...]
    prefix: str


def organise(county: County) -> Figures:
    """Divisions, offices, posts, the clock. Figures count what is there, whether it was added now or before."""
    loaded = load_divisions(settings.DIVISIONS_FILE, IN_FORCE_SINCE)
    password_hash = hash_password(demo_password())
    install_first_administrator(
        division=county.code,
        office_name=LEADING_OFFICE,
        username="county-administrator",
        full_name=_invented_name(0),
        networks=NETWORKS,
        password_hash=password_hash,
        on=IN_FORCE_SINCE,
        must_change_password=False,
    )
    business_day(dates.REGISTERED)
    administrator = actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)
    places = _places(administrator)
    offices = _establish(administrator, places)
    _fill_posts(administrator, places, offices, password_hash)
    return {
        "divisions": loaded.added + loaded.unchanged,
        "offices": len(offices),
        "accounts": Account.objects.filter(division__startswith=administrator.prefix).count(),
        "appointments": Appointment.objects.filter(division__startswith=administrator.prefix).count(),
    }


def _places(administrator: Actor) -> list[Place]:
    """Every office of the county, the leading office first."""
    with reading(administrator):
        townships = list_beneath(COUNTY, Level.COUNTY, Level.TOWNSHIP, dates.REGISTERED)
        villages = list_beneath(COUNTY, Level.COUNTY, Level.VILLAGE, dates.REGISTERED)
    short = {each.code: _short(each) for each in townships}
    places = [Place(OfficeKind.LEADING_OFFICE, LEADING_OFFICE, COUNTY, (), "county")]
    places += [Place(kind, name, COUNTY, codes, _KIND_NAMES[kind]) for kind, name, codes in COUNTY_OFFICES]
    places += [
        Place(OfficeKind.TOWNSHIP, f"{each.name}为民服务中心", each.code, ALL, short[each.code]) for each in townships
    ]
    for each in villages:
        prefix = f"{short[each.parent or '']}-{_short(each)}"
        places.append(Place(OfficeKind.VILLAGE, f"{each.name}为民服务代理点", each.code, (), prefix))
    return places


def _short(division: Division) -> str:
    """`meishan` for 梅山镇, `xuchong` for 徐冲村委会; what is too common to tell places apart is dropped."""
    key = division.pinyin.split(" ")
    for suffix in ("居委会", "社区", "村委会", "村", "镇", "乡", "街道"):
        if division.name.endswith(suffix) and len(division.name) > len(suffix):
            return compact(" ".join(key[: -len(suffix)]))
    return compact(division.pinyin)


def _establish(administrator: Actor, places: list[Place]) -> dict[tuple[str, str], Office]:
    with reading(administrator):
        there = Office.objects.filter(division__startswith=administrator.prefix)
        known = {(each.division, each.kind): each for each in there}
    for place in places:
        if (place.division, place.kind) not in known:
            known[place.division, place.kind] = establish_office(
                by=administrator,
                on=IN_FORCE_SINCE,
                name=place.name,
                kind=place.kind,
                division=place.division,
                programmes=place.programmes,
            )
    return known


def _people(places: list[Place]) -> Iterator[tuple[str, Post, Place]]:
    """User name, post and office of everybody but the first administrator; user names are made unique by number."""
    taken: set[str] = set()
    for place in places:
        for post in POSTS_OF[place.kind]:
            if post == Post.ADMINISTRATOR:
                continue
            name = wanted = f"{place.prefix}-{_USERNAMES[Post(post)]}"[:40]
            number = 2
            while name in taken:
                name, number = f"{wanted[:38]}{number}", number + 1
            taken.add(name)
            yield name, Post(post), place
    township = next(place for place in places if place.kind == OfficeKind.TOWNSHIP)
    yield "newcomer", Post.CLERK, township
    finance = next(place for place in places if place.kind == OfficeKind.FINANCE)
    yield "finance-releaser2", Post.FINANCE_RELEASER, finance  # whoever prepares at the county cannot release


def _fill_posts(
    administrator: Actor, places: list[Place], offices: dict[tuple[str, str], Office], password_hash: str
) -> None:
    known = dict(Account.objects.values_list("username", "id"))
    appointed = set(Appointment.objects.values_list("account_id", flat=True))
    for number, (username, post, place) in enumerate(_people(places), 1):
        office = offices[place.division, place.kind].pk
        if username not in known:
            known[username] = issue_account(
                by=administrator,
                username=username,
                full_name=_invented_name(number),
                office=office,
                networks=NETWORKS,
                password_hash=password_hash,
                must_change_password=username == "newcomer",
            ).pk
        if known[username] not in appointed:
            appoint(by=administrator, on=IN_FORCE_SINCE, account=known[username], post=post, office=office)


def _invented_name(number: int) -> str:
    """Different for the first 840 numbers."""
    surname = _SURNAMES[number % len(_SURNAMES)]
    given = _GIVEN[number * 2 // len(_SURNAMES) % len(_GIVEN)] + _GIVEN[(number * 7 + 3) % len(_GIVEN)]
    return f"{surname}{given}（演示）"

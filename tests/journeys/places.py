"""A small county anywhere in the shipped divisions: offices, people in every post, policies in use, households (journeys of cases).

in    a county's code and the township and village in which everything happens; the standards that nobody published for it
out   a `County` whose people act; the database must stand at the stage "blank"

People are invented; numbers carry the region 341599, which belongs to no place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings

from huimin.demo.clock import business_day
from huimin.divisions.loading import load_divisions
from huimin.kernel.identity import check_digit
from huimin.organisation.acting import Actor, reading
from huimin.organisation.commands import appoint, establish_office, issue_account
from huimin.organisation.entrance import as_system
from huimin.organisation.installation import install_first_administrator
from huimin.organisation.models import Appointment
from huimin.organisation.passwords import hash_password
from huimin.organisation.posts import POSTS_OF, OfficeKind, Post
from huimin.organisation.queries import get_actor, live_on
from huimin.policy.commands import adopt_policies, read_folder
from huimin.policy.queries import added_facts
from huimin.registry.commands.surveys import register_household
from huimin.registry.models import Household

SINCE = date(2020, 1, 1)
ADDRESS = "127.0.0.1"
# Facts nobody would leave out of a survey, as of a household that owns nothing and earns nothing.
NOTHING = {
    "hukou": "农业", "vehicles": 0, "vehicle_value": 0, "large_machines": 0, "houses": 1, "deposits": 0, "securities": 0,
    "other_assets": 0, "businesses": 0, "business_income_year": 0, "property_income_year": 0, "transfer_income_year": 0,
    "other_income_year": 0, "rigid_medical_year": 0, "rigid_rehab_year": 0, "rigid_education_year": 0,
    "special_product_income_year": 0, "poverty_registered": "否",
}  # fmt: skip
PLAIN = {
    "marital": "未婚", "schooling": "否", "full_time": False, "labour": "无", "employed": False, "wage_month": 0, "pension_month": 0,
    "pension_kind": "无", "health": "健康", "serious_illness": False, "disability_kind": "无", "disability_grade": 0,
    "self_care_losses": 0, "veteran_kind": "无", "veteran_grade": 0, "martyr_family": False, "rural_veteran": False,
    "fiscal_payroll": False, "village_cadre": False, "staff_kin": False, "clergy_years": 0, "supporter_able": "无义务人",
    "in_custody": False,
}  # fmt: skip


def identity(born: date, serial: int) -> str:
    """A well-formed number of nobody; an odd serial is a man's."""
    first = f"341599{born:%Y%m%d}{serial:03d}"
    return first + check_digit(first)


@dataclass(frozen=True)
class Member:
    """One of a new household; `facts` beside PLAIN."""

    name: str
    relation: str
    born: date
    serial: int
    facts: dict[str, object] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        number = identity(self.born, self.serial)
        return {"name": self.name, "id_number": number, "relation": self.relation, "facts": {**PLAIN, **self.facts}}


@dataclass(frozen=True)
class County:
    code: str
    township: str
    village: str

    def actor(self, post: Post, where: str = "", *, other: int = 0) -> Actor:
        """Whoever holds the post at an office kind or division; by default where posts of that kind are."""
        where = where or self._usual(post)
        with as_system(self.code):
            rows = Appointment.objects.filter(post=post, office__division__startswith=self.code[:6]).order_by("id")
            place = {"office__kind": where} if where in OfficeKind.values else {"office__division": where}
            found = rows.filter(**place).select_related("office", "account")[other]
            return get_actor(found, address=ADDRESS)

    def _usual(self, post: Post) -> str:
        kinds = {kind: posts for kind, posts in POSTS_OF.items() if post in posts}
        if OfficeKind.TOWNSHIP in kinds:
            return self.township
        if OfficeKind.VILLAGE in kinds:
            return self.village
        return next(iter(kinds))

    def everybody(self) -> dict[Post, Actor]:
        """One for each post."""
        with as_system(self.code):
            posts = set(Appointment.objects.filter(live_on(date.max), office__division__startswith=self.code[:6]).values_list("post", flat=True))  # fmt: skip
        return {Post(post): self.actor(Post(post)) for post in sorted(posts)}

    def household(self, on: date, members: Sequence[Member], **facts: object) -> Household:
        """Registered by the township's clerk as of a year before."""
        clerk = self.actor(Post.CLERK)
        with reading(clerk):
            added = added_facts(self.village)
        return register_household(
            by=clerk, on=on, added=added, division=self.village, since=date(on.year - 1, 1, 1), evidence="基本信息表",
            payload={
                "address": "一组1号", "phone": "16000000000", "household": {**NOTHING, **facts},
                "new": [each.told() for each in members],
            },
        )  # fmt: skip


def open_county(code: str, township: str, village: str, on: date, assumed: dict[str, dict[str, str]]) -> County:
    """Everything its offices need; `assumed` is programme → parameter → value (元/月, or tiers), of standards nobody published,
    from the beginning of the year."""
    load_divisions(settings.DIVISIONS_FILE, SINCE)
    business_day(on)
    made = County(code, township, village)
    secret = hash_password("journey-of-nobody-2021")
    install_first_administrator(
        division=code, office_name="惠民办（演示）", username="first-administrator", full_name="管理员（演示）",
        networks=("127.0.0.0/8",), password_hash=secret, on=SINCE, must_change_password=False,
    )  # fmt: skip
    _offices(made, made.actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE), secret)
    texts = read_folder(settings.POLICY_FOLDER)
    texts["journey/parameters.yaml"] = _parameters(code, assumed, date(on.year, 1, 1))
    adopt_policies(by=made.actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE), on=on, texts=texts)
    return made


def _offices(made: County, first: Actor, secret: str) -> None:
    programmes = tuple(_programmes())
    kinds = [
        (OfficeKind.LEADING_OFFICE, made.code),
        (OfficeKind.CIVIL_AFFAIRS, made.code),
        (OfficeKind.FINANCE, made.code),
    ]
    kinds += [(OfficeKind.AUDIT, made.code), (OfficeKind.TOWNSHIP, made.township), (OfficeKind.VILLAGE, made.village)]
    serial = 0
    for kind, where in kinds:
        if kind == OfficeKind.LEADING_OFFICE:
            office = first.office
        else:
            codes = () if kind in (OfficeKind.AUDIT, OfficeKind.VILLAGE) else programmes
            office = establish_office(
                by=first,
                on=SINCE,
                name=f"{OfficeKind(kind).label}（演示）",
                kind=kind,
                division=where,
                programmes=codes,
            ).pk
        for post in POSTS_OF[kind]:
            if post == Post.ADMINISTRATOR:
                continue
            for _ in range(2):  # four eyes want two of each
                serial += 1
                account = issue_account(
                    by=first, username=f"person-{serial}", full_name=f"{'甲乙丙丁戊己庚辛壬癸'[serial % 10]}{serial}（演示）",
                    office=office, networks=("127.0.0.0/8",), password_hash=secret, must_change_password=False,
                )  # fmt: skip
                appoint(by=first, on=SINCE, account=account.pk, post=Post(post), office=office)


def _programmes() -> list[str]:
    from huimin.demo.organise import ALL

    return list(ALL)


def _parameters(code: str, assumed: dict[str, dict[str, str]], since: date) -> str:
    lines = [f'区划: "{code}"', "说明: 测试用的假设，未经公布", "参数:"]
    for programme, values in assumed.items():
        for name, value in values.items():
            field = "档" if value.startswith("[") else "数值"
            lines += [f"  - 项目: {programme}", f"    名称: {name}", f"    {field}: {value}", f"    自: {since}"]
            lines += ["    来源: 测试假设（未公布）", "    示例假设: 是"]
    return "\n".join(lines) + "\n"

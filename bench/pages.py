"""`pages`: the pages that staff open all day, over a county of 700,000 people, under row-level security.

in    the demonstration's county, carried by its own steps until the proposals are decided
out   Results: the slowest kind of page for a post of the county, a township and a village (95th percentile); look-ups by
      identity number a second, against an empty Django view in the same run

Requests go through Django's test client: middleware, session, appointment, queries, templates; no network. Every request
of a kind asks for another household, name or number, taken at random from the post's own place. A household's page holds
its timeline. The cluster is private and durable, and removed afterwards.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.instances import private_instance
from bench.measuring import Result, forget_peak, peak_memory_mb

PEOPLE, GOAL_MS, MEMORY_GOAL_MB = 700_000, 200, 1_024
REQUESTS, LOOKUPS = 40, 300
UNTIL = "decided"
_SAMPLE = """
SELECT m.household_id, h.household_no, h.division, p.name, p.name_typed, p.name_initials, p.id_number_enc, m.person_id
FROM registry_membership m JOIN registry_household h ON h.id = m.household_id JOIN registry_person p ON p.id = m.person_id
WHERE m.recorded_to IS NULL AND m.relation = '户主' AND h.division >= %s AND h.division < %s
ORDER BY md5(m.id::text) LIMIT %s
"""
_TAILS = """
SELECT account_tail FROM registry_card WHERE recorded_to IS NULL AND division >= %s AND division < %s
ORDER BY md5(id::text) LIMIT %s
"""
Times = dict[str, list[float]]


def run(households: int) -> Iterator[Result]:
    """The benchmark's lines; never more people than the goal speaks of."""
    with private_instance() as home:
        _load(min(PEOPLE, households * 7 // 10), home)
        yield from measured()


def _load(people: int, home: Path) -> None:
    """The demonstration's steps, with the statistics PostgreSQL would have gathered overnight."""
    from django.db import connections

    from huimin.demo.quarter import STEPS, County

    county = County(people=people, seed=2021, home=home / "demo")
    for step in STEPS:
        step.run(county)
        with connections["owner"].cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if step.name == UNTIL else "ANALYZE")
        if step.name == UNTIL:
            return


def measured() -> Iterator[Result]:
    """Django is set up on a county that was loaded."""
    from django.test import override_settings

    from huimin.database.bulk import fetch_one

    [people] = fetch_one("SELECT count(*) FROM registry_person", using="maintenance")
    forget_peak()
    with override_settings(ROOT_URLCONF="bench.empty"):
        posts = {name: _Desk(name, seed) for seed, name in enumerate(("县", "乡镇", "村"))}
        times = {f"{name} {kind}": found for name, desk in posts.items() for kind, found in desk.pages().items()}
        entered = _percentile(posts["县"].timed("/bench-entered/" for _ in range(REQUESTS)))
        yield _slowest(people, times, entered)
        yield _lookups(people, posts["乡镇"])


def _slowest(people: int, times: Times, entered: float) -> Result:
    p95 = {kind: round(_percentile(found), 1) for kind, found in times.items()}
    worst = max(p95, key=lambda kind: p95[kind])
    peak = peak_memory_mb()
    return Result(
        "pages", f"{people:,} 人，{len(times)} 种页面各 {REQUESTS} 次，95 百分位最慢的一种：{worst}",
        p95[worst], "毫秒", "同一站点登录后的空页面", round(entered, 1), p95[worst] / entered,
        f"≤ {GOAL_MS} 毫秒，≤ {MEMORY_GOAL_MB} MB", p95[worst] <= GOAL_MS and peak <= MEMORY_GOAL_MB, peak,
        {"p95": p95, "median": {kind: round(_percentile(found, 0.5), 1) for kind, found in times.items()}},
    )  # fmt: skip


def _lookups(people: int, desk: "_Desk") -> Result:
    """How many look-ups a second, one after another; an empty view, with no middleware at all, likewise."""
    from django.test import Client, override_settings

    found = _rate(desk.timed(desk.lookup(row) for row in desk.people[:LOOKUPS]))
    entered = _rate(desk.timed("/bench-entered/" for _ in range(LOOKUPS)))
    with override_settings(MIDDLEWARE=[]):
        bare = Client(HTTP_HOST="127.0.0.1")
        empty = _rate(_timed(bare, ("/bench-empty/" for _ in range(LOOKUPS))))
    return Result(
        "pages-look-up", f"{people:,} 人中按身份证号查一户，逐个查", round(found, 1), "次/秒",
        "不带任何中间件的空 Django 页面", round(empty, 1), empty / found, "≥ 空页面的一半", found >= empty / 2,
        peak_memory_mb(), {"entered_per_second": round(entered, 1)},
    )  # fmt: skip


def _percentile(times: list[float], share: float = 0.95) -> float:
    """In milliseconds."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000


def _rate(times: list[float]) -> float:
    return len(times) / sum(times)


def _timed(client: Any, addresses: Iterator[str]) -> list[float]:
    """Seconds of each request; all must succeed."""
    times = []
    for address in addresses:
        began = time.perf_counter()
        answer = client.get(address)
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return times


class _Desk:
    """A signed-in browser of one post, and people of its place at random."""

    def __init__(self, name: str, seed: int) -> None:
        from huimin.database.bulk import fetch
        from huimin.database.context import scope_of

        self.actor = _actor(name)
        self.client = _signed_in(self.actor)
        self.random = random.Random(seed)
        low, high = scope_of(self.actor.prefix)
        self.people = fetch(_SAMPLE, [low, high, LOOKUPS], using="maintenance")
        self.tails = [tail for (tail,) in fetch(_TAILS, [low, high, REQUESTS], using="maintenance")]

    def timed(self, addresses: Iterator[str]) -> list[float]:
        return _timed(self.client, addresses)

    def pages(self) -> Times:
        """Times of each kind of page; the first request of a kind is not counted, it fills caches."""
        found = {}
        for kind, address in self._kinds().items():
            rows = [self.random.choice(self.people) for _ in range(REQUESTS + 1)]
            found[kind] = self.timed(address(row) for row in rows)[1:]
        return found

    def _kinds(self) -> dict[str, Callable[[Any], str]]:
        return {
            "列表": lambda row: "/households/",
            "列表往后": lambda row: f"/households/?at={self._behind(row)}",
            "列表按村": lambda row: f"/households/?place={row[2]}",
            "列表按姓名": lambda row: f"/households/?name={quote(row[3])}",
            "查找姓名": lambda row: f"/search/?q={quote(row[3])}",
            "查找姓": lambda row: f"/search/?q={quote(row[3][0])}",
            "查找拼音": lambda row: f"/search/?q={row[4]}",
            "查找首字母": lambda row: f"/search/?q={row[5]}",
            "查找卡尾号": lambda row: f"/search/?q={self.random.choice(self.tails)}",
            "查找村": lambda row: f"/search/?q={quote(self._village(row))}",
            "查找户编号": lambda row: f"/search/?q={row[1]}",
            "查找身份证号": self.lookup,
            "名单": lambda row: "/lists/",
            "某日名单": lambda row: "/lists/?kind=members&on=2021-06-30&known=2026-01-01",
            "在册待遇": lambda row: "/lists/?kind=benefits",
            "一户与时间线": lambda row: f"/households/{row[0]}/",
            "一户某日": lambda row: f"/households/{row[0]}/?on=2021-06-30",
        }

    def lookup(self, row: Any) -> str:
        from huimin.database.personal import ID_NUMBER, plain

        return f"/search/?part=1&q={plain(row[6], ID_NUMBER)}"

    def _behind(self, row: Any) -> str:
        """The list of the whole place from its middle: behind the first household of this one's village."""
        from huimin.organisation.acting import reading
        from huimin.registry.queries import HouseholdFilter, list_households

        with reading(self.actor):
            return list_households(HouseholdFilter(prefix=row[2]), size=1).next

    def _village(self, row: Any) -> str:
        from huimin.divisions.queries import names_of
        from huimin.organisation.acting import reading
        from huimin.organisation.queries import business_date

        with reading(self.actor):
            return names_of({row[2]}, business_date())[row[2]]


def _actor(name: str) -> Any:
    """The leading office's county officer; a township's clerk; a village's information officer."""
    from huimin.demo.actors import COUNTY, actor
    from huimin.demo.listing import townships
    from huimin.organisation.entrance import as_system
    from huimin.organisation.models import Appointment
    from huimin.organisation.posts import OfficeKind, Post

    if name == "县":
        return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    if name == "乡镇":
        return actor(Post.CLERK, townships()[0])
    with as_system(COUNTY):
        found = Appointment.objects.filter(post=Post.INFORMATION_OFFICER, valid_to=None).order_by("id")
        village = found.select_related("office")[0].office.division
    return actor(Post.INFORMATION_OFFICER, village)


def _signed_in(acting: Any) -> Any:
    """A browser with the session of this appointment; the password, slow by design, is not asked for."""
    from django.test import Client

    from huimin.organisation.models import Account
    from huimin.workbench.middleware import APPOINTMENT

    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(Account.objects.get(pk=acting.account), "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[APPOINTMENT] = acting.appointment
    session.save()
    return client

"""Who works in the field in these tests: one village of the small county, its officer, its township, the county."""

from datetime import date

from huimin.database.bulk import fetch
from huimin.demo.actors import actor
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post

ON = date(2021, 7, 5)


def officer() -> Actor:
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def villages() -> list[str]:
    """Villages with households, the fullest first."""
    with reading(officer()):
        rows = fetch(
            "SELECT left(division, 12), count(*) FROM registry_household WHERE closed_on IS NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
    return [code for code, _ in rows]


def village(nth: int = 0) -> str:
    return villages()[nth]


def informant(nth: int = 0) -> Actor:
    return actor(Post.INFORMATION_OFFICER, village(nth))


def of_township(post: Post, nth: int = 0) -> Actor:
    return actor(post, village(nth)[:9] + "000")


def homes(code: str) -> list[int]:
    with reading(officer()):
        rows = fetch(
            "SELECT id FROM registry_household WHERE left(division, 12) = %s AND closed_on IS NULL ORDER BY id", [code]
        )
    return [number for (number,) in rows]


def other_village() -> str:
    """A village of another township than the first."""
    first = village()
    return next(code for code in villages() if code[:9] != first[:9])

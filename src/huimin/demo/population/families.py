"""Households as families: who lives together, how old, in which relation to the head (REG-01).

in    how many people, and the day they are looked at
out   a `Families`: people sorted by household, with role, sex and birth day

The shapes below (a couple with a child, three generations, grandparents with the grandchild the parents left in the
village …) and the ages within them are assumptions, weighted until sizes and ages came near what is published for
a nearby district (淮南大通, census 2020: 2.57 to a household; 0–14 17.49 %, 15–59 60.51 %, 60 and over 22.00 %).

Always true: exactly `people` rows; every household has one head, its first row; a parent is at least 17 years older
than each child; couples are a man and a woman of at least 20 years.
"""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np

from huimin.demo.population.chance import Bools, Chance, Floats, Ints, between, happens, pick

DAYS_PER_YEAR = 365.2425
OLDEST = 104.0  # assumption: years
ADULT = 20.0  # 民法典 第1047条 lets women marry at 20

# Assumptions, in years.
SPOUSE_GAP = (-2.0, 5.0)  # the man is older by
CHILD_GAP = (20.5, 35.0)  # the younger parent's age at birth
EARLY_CHILD_GAP = (20.5, 30.0)  # where a grown child already has a family of his own
PARENT_GAP = (20.0, 30.0)
GRANDPARENT_GAP = (44.0, 56.0)
LEFT_BEHIND_GAP = (44.0, 56.0)  # grandchild to the younger grandparent
SIBLING_GAP = (-8.0, 8.0)
COUPLE_GAP = (-3.0, 3.0)
BOY_SHARE = 0.52
SON_STAYS_SHARE = 0.88  # a married child in the parents' household is mostly the son
ONE_PARENT_IS_MOTHER = 0.68
MAN_BROTHER_SHARE = 0.75


class Role(IntEnum):
    """Place in the family; `RELATIONS` says how the household register calls it."""

    HEAD = 0
    SPOUSE = 1
    CHILD = 2
    CHILDS_SPOUSE = 3
    GRANDCHILD = 4
    PARENT = 5
    GRANDPARENT = 6
    SIBLING = 7


@dataclass(frozen=True)
class Shape:
    """One kind of household: its weight, the head's age (low, most likely, high), who else lives there."""

    weight: float
    head_age: tuple[float, float, float]
    others: tuple[Role, ...] = ()
    man_heads: float = 0.85


_S, _C, _W, _G, _P, _A, _B = list(Role)[1:]
SHAPES: tuple[Shape, ...] = (
    Shape(8.0, (60, 70, 93), (), 0.45),
    Shape(9.0, (24, 42, 60), (), 0.76),
    Shape(13.5, (58, 66, 90), (_S,)),
    Shape(10.0, (24, 48, 60), (_S,)),
    Shape(15.0, (25, 45, 62), (_S, _C)),
    Shape(14.5, (27, 38, 58), (_S, _C, _C)),
    Shape(2.0, (30, 38, 55), (_S, _C, _C, _C)),
    Shape(4.0, (26, 42, 60), (_C,), 0.45),
    Shape(1.2, (28, 40, 55), (_C, _C), 0.45),
    Shape(2.4, (30, 42, 60), (_S, _C, _P)),
    Shape(2.6, (28, 38, 58), (_S, _C, _C, _P, _P)),
    Shape(2.4, (30, 48, 64), (_P,), 0.8),
    Shape(2.2, (56, 62, 76), (_S, _C, _W, _G)),
    Shape(1.1, (56, 64, 80), (_C, _W, _G, _G), 0.6),
    Shape(2.4, (55, 62, 74), (_S, _G), 0.9),
    Shape(0.8, (55, 64, 76), (_G,), 0.35),
    Shape(4.2, (62, 68, 88), (_C,), 0.55),
    Shape(1.2, (30, 50, 66), (_B,), 0.85),
    Shape(0.3, (19, 24, 34), (_A,), 0.7),
)


@dataclass(frozen=True)
class Families:
    """People in order of household. `first` has one entry more than households; days count from 1970-01-01."""

    household: Ints
    first: Ints
    role: Ints
    male: Bools
    birth_day: Ints

    @property
    def size(self) -> Ints:
        return np.diff(self.first)


def draw_families(people: int, as_of: date, chance: Chance) -> Families:
    """Households of seeded shapes with `people` members altogether."""
    rng = chance.stream("families")
    shape = _shapes_for(people, rng)
    sizes = np.array([1 + len(each.others) for each in SHAPES])[shape]
    first = np.concatenate(([0], np.cumsum(sizes)))
    role, male, age = np.empty(people, np.int64), np.empty(people, bool), np.empty(people)
    for number, each in enumerate(SHAPES):
        rows = first[:-1][shape == number, None] + np.arange(1 + len(each.others))
        ages, males = _members(each, len(rows), rng)
        role[rows] = (Role.HEAD, *each.others)
        age[rows], male[rows] = ages, males
    birth_day = (as_of - date(1970, 1, 1)).days - np.floor(age * DAYS_PER_YEAR).astype(np.int64)
    return Families(np.repeat(np.arange(len(sizes)), sizes), first, role, male, birth_day)


def _shapes_for(people: int, rng: np.random.Generator) -> Ints:
    """A shape per household, as many as hold `people`; the last are single people, so that it comes out even."""
    sizes = np.array([1 + len(each.others) for each in SHAPES])
    shape = pick(rng, [each.weight for each in SHAPES], people)
    fit = int(np.searchsorted(np.cumsum(sizes[shape]), people, side="right"))
    left = people - int(sizes[shape[:fit]].sum())
    single = 1
    assert not SHAPES[single].others
    return np.concatenate((shape[:fit], np.full(left, single)))


def _members(shape: Shape, count: int, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Ages in years and sexes, one row per household, head first and then in the order of `shape.others`."""
    roles = (Role.HEAD, *shape.others)
    age, male = np.empty((count, len(roles))), np.empty((count, len(roles)), bool)
    age[:, 0] = rng.triangular(*shape.head_age, count)
    male[:, 0] = happens(rng, shape.man_heads, count)
    for at in range(1, len(roles)):
        male[:, at] = _male(roles, at, male, rng)
        age[:, at] = _age(roles, at, age, male, rng)
    return age, male


def _male(roles: tuple[Role, ...], at: int, male: Bools, rng: np.random.Generator) -> Bools:
    """Sexes of the member in column `at`, those before it being known."""
    role, count = roles[at], len(male)
    if role is Role.SPOUSE:
        return ~male[:, 0]
    if role is Role.CHILDS_SPOUSE or (role is Role.PARENT and roles[at - 1] is Role.PARENT):
        return ~male[:, at - 1]
    if role is Role.CHILD:
        return happens(rng, SON_STAYS_SHARE if Role.CHILDS_SPOUSE in roles else BOY_SHARE, count)
    if role in (Role.PARENT, Role.GRANDPARENT):
        return happens(rng, 1 - ONE_PARENT_IS_MOTHER if roles.count(Role.PARENT) < 2 else 0.5, count)
    return happens(rng, MAN_BROTHER_SHARE if role is Role.SIBLING else BOY_SHARE, count)


def _age(roles: tuple[Role, ...], at: int, age: Floats, male: Bools, rng: np.random.Generator) -> Floats:
    """Ages of the member in column `at`, those before it being known."""
    role, count = roles[at], len(age)
    parents = age[:, : 2 if Role.SPOUSE in roles else 1].min(axis=1)
    if role is Role.SPOUSE:
        older = between(rng, *SPOUSE_GAP, count)
        return np.clip(age[:, 0] + np.where(male[:, 0], -older, older), ADULT, OLDEST)
    if role is Role.CHILD:
        return _younger(parents, EARLY_CHILD_GAP if Role.CHILDS_SPOUSE in roles else CHILD_GAP, rng)
    if role is Role.GRANDCHILD and Role.CHILDS_SPOUSE in roles:
        married = roles.index(Role.CHILDS_SPOUSE)
        return _younger(age[:, married - 1 : married + 1].min(axis=1), CHILD_GAP, rng)
    if role is Role.GRANDCHILD:
        return _younger(parents, LEFT_BEHIND_GAP, rng)
    if role is Role.CHILDS_SPOUSE:
        return np.maximum(age[:, at - 1] + between(rng, *COUPLE_GAP, count), ADULT)
    if role is Role.PARENT and roles[at - 1] is Role.PARENT:
        return np.clip(age[:, at - 1] + between(rng, *COUPLE_GAP, count), age[:, 0] + PARENT_GAP[0], OLDEST)
    if role is Role.SIBLING:
        return np.maximum(age[:, 0] + between(rng, *SIBLING_GAP, count), ADULT)
    gap = GRANDPARENT_GAP if role is Role.GRANDPARENT else PARENT_GAP
    return np.minimum(age[:, 0] + between(rng, *gap, count), OLDEST)


def _younger(parent: Floats, gap: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Ages of children born when the parent was of an age within `gap`, and born already."""
    return parent - between(rng, np.minimum(gap[0], parent), np.minimum(gap[1], parent), len(parent))

"""Reads of divisions: one, its chain of names, its children, all as of a day (ORG-01).

Everybody signed in may read divisions; call inside `reading(by)`. Lists are sorted by code unless said otherwise and
bounded by the tree itself (a township has some dozens of villages, a village some dozens of groups).
"""

from datetime import date

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Replace

from huimin.divisions.models import Division
from huimin.kernel.errors import Refusal
from huimin.kernel.places import NATION, Level, chain

CHILDREN_MAX = 2000


class NoSuchDivision(Refusal):
    """No division has this code on that day."""


def _in_force(on: date) -> QuerySet[Division]:
    return Division.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)


def find_division(code: str, on: date) -> Division | None:
    return _in_force(on).filter(code=code).first()


def get_division(code: str, on: date) -> Division:
    """The division in force; NoSuchDivision otherwise, which names the successor of one that ended."""
    if found := find_division(code, on):
        return found
    ended = Division.objects.filter(code=code, valid_to__lte=on).order_by("-valid_to").first()
    why = f"{ended.name}已于 {ended.valid_to} 撤并" if ended else ""
    remedy = f"现为{name_of(ended.successor)}（{ended.successor}）" if ended and ended.successor else "请核对区划代码"
    raise NoSuchDivision(f"没有代码为 {code} 的区划", why=why, remedy=remedy)


def list_chain(code: str, on: date) -> list[Division]:
    """From the province (or the highest that is known) down to `code`: the breadcrumb."""
    codes = [each for each in chain(code) if each != NATION]
    return list(_in_force(on).filter(code__in=codes).order_by("level"))


def chain_names(code: str, on: date) -> list[str]:
    """`["安徽省", "六安市", "金寨县", "梅山镇", "徐冲村委会"]`."""
    return [each.name for each in list_chain(code, on)]


def names_of(codes: set[str], on: date) -> dict[str, str]:
    """Names of several codes at once, for a list on a page; codes not in force are left out."""
    assert len(codes) <= CHILDREN_MAX
    return dict(_in_force(on).filter(code__in=codes).values_list("code", "name"))


def name_of(code: str) -> str:
    """What a message calls one place: its newest name; the code alone where nothing is known of it."""
    names = Division.objects.filter(code=code).order_by("-valid_from").values_list("name", flat=True)
    return names.first() or f"代码为 {code} 的地方"


def list_children(code: str, on: date) -> list[Division]:
    """Divisions directly beneath `code`, by pinyin."""
    return list(_in_force(on).filter(parent=code).order_by("pinyin", "code")[:CHILDREN_MAX])


def list_beneath(code: str, level: Level, of: Level, on: date) -> list[Division]:
    """Divisions of level `of` within `code`, which has `level`: villages of a township, townships of a county."""
    prefix = code[: int(level)]
    beneath = _in_force(on).filter(level=int(of), code__gte=prefix, code__lt=prefix + "~")
    return list(beneath.order_by("code")[:CHILDREN_MAX])


def list_villages(township: str, on: date) -> list[Division]:
    """Villages of a township, by pinyin."""
    return list_children(township, on)


def current_code(code: str, on: date) -> str:
    """Where the work of `code` is done on `on`: itself, or the successor of its successors."""
    seen = {code}
    while find_division(code, on) is None:
        ended = Division.objects.filter(code=code, valid_to__lte=on).order_by("-valid_to").first()
        if ended is None or ended.successor is None or ended.successor in seen:
            raise NoSuchDivision(f"没有代码为 {code} 的区划", remedy="请核对区划代码")
        code = ended.successor
        seen.add(code)
    return code


def find_places(name: str, letters: str, prefix: str, on: date, most: int = 5) -> list[Division]:
    """Townships and villages beneath `prefix` whose name, or its letters, begin so."""
    spelled = Q(name__startswith=name)
    if letters.isascii() and letters.isalpha():
        spelled |= Q(typed__startswith=letters)
    typed = Replace("pinyin", Value(" "), Value(""))
    beneath = _in_force(on).filter(code__gte=prefix, code__lt=prefix + "~", level__in=(Level.TOWNSHIP, Level.VILLAGE))
    return list(beneath.annotate(typed=typed).filter(spelled).order_by("code")[:most])

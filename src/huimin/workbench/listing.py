"""Lists: what is asked for stands in the address, and the screen, the totals and the export show the same set.

`Chosen` reads the filters of a request: the place (within the acting office's), and named choices. Anything that is
not one of the choices counts as not asked, so an old or edited address never fails.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from huimin.divisions.models import Division
from huimin.divisions.queries import find_division, list_beneath
from huimin.kernel.places import Level, scope_prefix
from huimin.organisation.acting import Actor, require_programme
from huimin.organisation.posts import Post

Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Chosen:
    """The place of a list: its prefix, code (empty for the whole of one's own) and the options of the select."""

    prefix: str
    code: str
    options: Options


def chosen_place(request: Any, source: QueryDict | None = None) -> Chosen:
    """`place` of the address (or of `source`), when it lies within the actor's own place."""
    by: Actor = request.actor
    on = request.business_date
    code = (request.GET if source is None else source).get("place", "")
    found = find_division(code, on) if code.startswith(by.prefix) and code.isdigit() else None
    prefix = scope_prefix(found.code, Level(found.level)) if found else by.prefix
    return Chosen(prefix, found.code if found else "", place_options(by, on, found))


def place_options(by: Actor, on: date, found: Division | None) -> Options:
    """What a person may narrow down to: townships for the county, villages for a township, and the chosen one's own."""
    options: Options = []
    if by.level <= Level.COUNTY:
        townships = list_beneath(by.division, by.level, Level.TOWNSHIP, on)
        inside = found.code[:9] if found else ""
        for township in townships:
            options.append((township.code, township.name))
            if inside == township.code[:9]:
                options += _villages(township.code, on)
    elif by.level == Level.TOWNSHIP:
        options = _villages(by.division, on, indent="")
    return options


def _villages(township: str, on: Any, indent: str = "　") -> Options:
    return [(each.code, indent + each.name) for each in list_beneath(township, Level.TOWNSHIP, Level.VILLAGE, on)]


def one_of(source: QueryDict, name: str, choices: Iterable[str], default: str = "") -> str:
    """The value of a filter when it is one of the choices; present but empty asks for everything."""
    value = source.get(name)
    if value is None:
        return default
    return value if value in set(choices) else ""


def ids_of(source: QueryDict, most: int) -> list[int]:
    """The ticked rows, rising, each once; what is no row number is left out."""
    return sorted(
        {int(each) for each in source.getlist("id")[:most] if each.isascii() and each.isdigit() and len(each) < 19}
    )


def kept(source: QueryDict, *names: str, **more: str) -> str:
    """The query of this list without paging, with `more` set."""
    return urlencode({name: source[name] for name in names if name in source} | more)


def programmes_seen(by: Actor) -> tuple[str, ...] | None:
    """A department reads lists of its own programmes (SEC-03); None for posts that read all."""
    return by.programmes if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER) else None


def seen_of(by: Actor, names: dict[str, str]) -> dict[str, str]:
    """The programmes a filter offers to `by`."""
    seen = programmes_seen(by)
    return names if seen is None else {code: name for code, name in names.items() if code in seen}


def require_seen(by: Actor, programme: str, name: str = "") -> None:
    """NotYourProgramme when the office of `by` reads only other programmes."""
    if programmes_seen(by) is not None:
        require_programme(by, programme, name)


_DAY = re.compile(r"(\d{4})\D{0,2}(\d{1,2})\D{0,2}(\d{1,2})\D?")


def day_of(text: str) -> date | None:
    """A date as people type it (2021-7-1, 2021/07/01, 20210701, full width too); None when it is none."""
    found = _DAY.fullmatch(text.strip())
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None

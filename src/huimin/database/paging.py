"""Long lists a page at a time, by key: no OFFSET and no total, so that the last page costs what the first does.

in    a queryset, the fields that order it (the last of them unique), where to start, how many rows
out   a `Page`: its rows, and the places of the page before and after as texts for a URL

Always true: a page holds at most `size` rows; walking forward from the start meets every row once and walking back
meets the same rows in the same order; a place that was tampered with starts from the beginning, it never fails.
Limit: the ordering fields must not be null.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)
R = TypeVar("R")
SIZE = 50
SIZE_MAX = 1000


@dataclass(frozen=True)
class Page(Generic[M]):
    """`previous` and `next` are places for `cut`, empty where there is no such page."""

    rows: list[M]
    previous: str = ""
    next: str = ""

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def cut(queryset: QuerySet[M], order: Sequence[str], place: str = "", size: int = SIZE) -> Page[M]:
    """The page at `place` (as made by an earlier page, "" for the first), ordered by `order` (`-field` falls)."""
    assert 0 < size <= SIZE_MAX
    backwards, key = _read(queryset, order, place)
    wanted = [_turned(field) for field in order] if backwards else list(order)
    rows = queryset.order_by(*wanted)
    if key:
        rows = rows.filter(_after(wanted, key))
    found = list(rows[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page([])
    before = more if backwards else bool(key)
    behind = True if backwards else more
    return Page(
        found,
        previous=_write("<", found[0], order) if before else "",
        next=_write(">", found[-1], order) if behind else "",
    )


def cut_fetched(
    fetch: Callable[[tuple[date, int] | None, bool, int], list[R]],
    key_of: Callable[[R], tuple[date, int]],
    place: str = "",
    size: int = SIZE,
) -> "Page[Any]":
    """As `cut`, for rows of a query of one's own that are ordered by a day and a number, rising.

    `fetch(key, backwards, most)` gives the rows next to the key, the nearest `most` of them, in rising order.
    """
    assert 0 < size <= SIZE_MAX
    backwards, key = _read_day(place)
    found = fetch(key, backwards, size + 1)
    more = len(found) > size
    found = (found[-size:] if backwards else found[:size]) if more else found
    if not found:
        return Page([])
    before, behind = more if backwards else key is not None, True if backwards else more
    return Page(
        found,  # type: ignore[arg-type]
        previous=_packed(["<", *key_of(found[0])]) if before else "",
        next=_packed([">", *key_of(found[-1])]) if behind else "",
    )


def _read_day(place: str) -> tuple[bool, tuple[date, int] | None]:
    try:
        direction, day, number = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
        if direction in ("<", ">") and type(number) is int and abs(number) < 2**62:
            return direction == "<", (date.fromisoformat(day), number)
    except (ValueError, TypeError, binascii.Error):
        pass
    return False, None


def _turned(field: str) -> str:
    return field[1:] if field.startswith("-") else "-" + field


def _after(order: Sequence[str], key: Sequence[Any]) -> Q:
    """Rows behind `key`: a > x, or a = x and b > y …; with a >= x in front, which an index can use."""
    behind = Q()
    for at, field in enumerate(order):
        name, falls = field.lstrip("-"), field.startswith("-")
        same = Q(**{earlier.lstrip("-"): value for earlier, value in zip(order[:at], key, strict=False)})
        behind |= same & Q(**{f"{name}__{'lt' if falls else 'gt'}": key[at]})
    first = order[0].lstrip("-")
    return Q(**{f"{first}__{'lte' if order[0].startswith('-') else 'gte'}": key[0]}) & behind


def _write(direction: str, row: Model, order: Sequence[str]) -> str:
    return _packed([direction, *(_value(row, field.lstrip("-")) for field in order)])


def _packed(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, date) else value for value in values]
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def _read(queryset: QuerySet[M], order: Sequence[str], place: str) -> tuple[bool, list[Any]]:
    try:
        direction, *values = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
        if (
            direction in ("<", ">")
            and len(values) == len(order)
            and not any("\0" in value for value in values if isinstance(value, str))
        ):
            return direction == "<", [
                _field(queryset.model, name.lstrip("-")).to_python(value)
                for name, value in zip(order, values, strict=True)
            ]
    except (ValueError, TypeError, binascii.Error, ValidationError, FieldDoesNotExist):
        pass
    return False, []


def _field(model: type[Model], name: str) -> Any:
    *path, last = name.split("__")
    for part in path:
        model = model._meta.get_field(part).related_model
    return model._meta.get_field(last)

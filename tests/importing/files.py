"""Files as townships send them, made for tests; people are invented (341599)."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import xlsxwriter

from huimin.demo.actors import actor
from huimin.demo.population.numbers import as_text, identity_numbers
from huimin.importing.working import Asked, Outcome, import_file
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import (
    Card,
    Household,
    HouseholdFacts,
    Membership,
    Person,
    PersonFacts,
    WorkItem,
)

DAY = date(2021, 6, 21)
LATER = date(2021, 8, 10)
TOWN, VILLAGE = "341524100000", "341524100002"


def numbers(count: int, first: int = 4000, sex: int = 1) -> list[str]:
    """Good identity numbers, all different."""
    made: list[str] = as_text(identity_numbers(np.arange(first, first + count), np.full(count, sex))).to_pylist()
    return made


def clerk() -> Actor:
    return actor(Post.CLERK, TOWN)


def officer() -> Actor:
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def xlsx(*sheets: Sequence[Sequence[Any]], names: Sequence[str] = (), **more: Any) -> io.BytesIO:
    """A workbook of rows; texts as text, numbers as numbers, dates as dates."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "in_memory": True})
    day = book.add_format({"num_format": "yyyy/m/d"})
    for at, rows in enumerate(sheets):
        sheet = book.add_worksheet(names[at] if at < len(names) else None)
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    sheet.write_datetime(row, column, value, day)
                elif value not in (None, ""):
                    sheet.write(row, column, value)
        for change in more.get("changes", ()):
            change(sheet)
    book.close()
    file.seek(0)
    return file


def csv(rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO("\n".join(",".join(map(str, row)) for row in rows).encode(encoding))


def bring(
    file: io.BytesIO,
    *,
    by: Actor | None = None,
    on: date = DAY,
    place: str = TOWN,
    rehearse: bool = False,
    name: str = "表.xlsx",
    **asked: Any,
) -> Outcome:
    """Import as the township's clerk."""
    asked = {"valid_from": on, "evidence": "基本信息表", **asked}
    return import_file(by=by or clerk(), on=on, file=file, name=name, asked=Asked(place, **asked), rehearse=rehearse)


def counted(outcome: Outcome) -> tuple[int, ...]:
    """(new, changed, same, conflict, wrong)."""
    return tuple(outcome.counts[name] for name in ("new", "changed", "same", "conflict", "wrong"))


def stored(model: Any, **which: Any) -> list[Any]:
    with reading(officer()):
        return list(model.objects.filter(**which).order_by("id"))


def sizes() -> list[int]:
    models = (Household, HouseholdFacts, Person, PersonFacts, Membership, Card, WorkItem)
    with reading(officer()):
        return [model.objects.count() for model in models]


MEMBERS_HEAD = ["户编码", "姓名", "身份证号", "与户主关系", "文化程度", "月工资（元）", "重病"]


def member(household: int, name: str, number: str, relation: str = "户主", *more: Any) -> list[Any]:
    return [f"{VILLAGE}-8{household:03d}", name, number, relation, *more]

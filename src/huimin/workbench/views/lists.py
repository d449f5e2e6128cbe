"""Lists of households, people and beneficiaries as of any day, as known on any day; the same as a workbook (REG-01, REG-05)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.casework.models import Entitlement
from huimin.casework.queries import HeldFilter, iterate_held, list_held
from huimin.divisions.queries import names_of
from huimin.kernel.facts import Entity, Fact
from huimin.policy.queries import added_facts, programme_names
from huimin.registry.lists import HouseholdRow, PersonRow, iterate_on, list_on
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.list_forms import HOWS, KINDS, Asked, asked_of, facts_for
from huimin.workbench.listing import chosen_place, kept, one_of, programmes_seen, seen_of
from huimin.workbench.spreadsheet import Column, export

FILTERS = ("kind", "place", "on", "known", "fact1", "how1", "value1", "fact2", "how2", "value2", "programme")


@require_safe
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    """Choose a day and what to see; without a choice, the households of today."""
    by, today = request.actor, request.business_date
    kind, place = one_of(request.GET, "kind", dict(KINDS), "households") or "households", chosen_place(request)
    facts = facts_for(by, added_facts(place.code or by.division), kind)
    asked = asked_of(request.GET, place.prefix, facts, today)
    context: dict[str, Any] = {
        "section": "lists", "kind": kind, "kinds": KINDS, "place": place, "asked": asked, "facts": facts, "hows": HOWS,
        "is_past": asked.wanted.on != today or asked.known_on is not None, "chosen": {fact.code for fact in asked.columns},
        "query": "&".join([kept(request.GET, *FILTERS), *(f"col={fact.code}" for fact in asked.columns)]),
    }  # fmt: skip
    if kind == "benefits":
        return _benefits(request, context, asked)
    people = kind == "members"
    if request.GET.get("export") == "xlsx":
        return _export(request, asked, people)
    found, rows = list_on(
        asked.wanted, by, asked.columns, members=people, place=request.GET.get("at", ""), size=25 if people else 50
    )
    places = names_of({row.household.division for row in rows}, today)
    context |= {"page": found, "rows": [_shown(row, asked, places, people) for row in rows]}
    return render(request, "workbench/lists.html", context)


def _shown(row: HouseholdRow, asked: Asked, places: dict[str, str], people: bool) -> dict[str, Any]:
    """A household for the page; its people one line each, the household's own facts on the first."""
    return {
        "row": row, "place": places.get(row.household.division, row.household.division),
        "cells": _cells(asked.columns, row, None), "members": [
            {"person": each, "age": _age(each, asked.wanted.on), "cells": _cells(asked.columns, row, each)}
            for each in row.members
        ] if people else [],
    }  # fmt: skip


def _cells(columns: list[Fact], row: HouseholdRow, person: PersonRow | None) -> list[str]:
    """In the order of the columns; of a person also what sex, birth date and relation say."""
    told = {each.fact.code: each.text for each in (*row.facts, *(person.facts if person else ()))}
    if person is not None:
        told |= {"sex": person.sex, "birth_date": person.birth_date.isoformat(), "relation": person.relation}
    return [told.get(fact.code, "") for fact in columns if person is not None or fact.entity is Entity.HOUSEHOLD]


def _age(person: PersonRow, on: date) -> int:
    born = person.birth_date
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _title(kind: str, asked: Asked) -> str:
    known = f"按{asked.known_on}时所知" if asked.known_on else ""
    return f"{dict(KINDS)[kind]}名单 截至{asked.wanted.on}{known}"


def _export(request: Any, asked: Asked, people: bool) -> HttpResponse:
    """All rows of the list, in its order."""
    own = [Column(fact.name, width=16) for fact in asked.columns]
    first = [Column("户编码", width=22), Column("村（组）", width=18), Column("户主", width=12)]
    more = [
        Column("姓名", width=12), Column("与户主关系", width=10), Column("性别", width=6), Column("年龄", width=6),
        Column("证件号码", width=22),
    ] if people else [Column("人口", "count", 8)]  # fmt: skip
    return export(
        request,
        _title("members" if people else "households", asked),
        [*first, *more, *own],
        _table(request, asked, people),
    )


def _table(request: Any, asked: Asked, people: bool) -> Iterator[tuple[Any, ...]]:
    places: dict[str, str] = {}
    for row in iterate_on(asked.wanted, request.actor, asked.columns, members=people):
        division = row.household.division
        if division not in places:
            places |= {division: names_of({division}, request.business_date).get(division, division)}
        first = (row.household.household_no, places[division], row.head)
        if not people:
            yield (*first, row.count, *_cells(asked.columns, row, None))
        for each in row.members:
            age = _age(each, asked.wanted.on)
            yield (*first, each.name, each.relation, each.sex, age, each.id_number, *_cells(asked.columns, row, each))


def _benefits(request: Any, context: dict[str, Any], asked: Asked) -> HttpResponse:
    by, names = request.actor, seen_of(request.actor, programme_names())
    programme = one_of(request.GET, "programme", names)
    wanted = HeldFilter(asked.wanted.prefix, asked.wanted.on, asked.wanted.known_at, programme, programmes_seen(by))
    if request.GET.get("export") == "xlsx":
        columns = (
            Column("户编码", width=22), Column("补贴项目", width=24), Column("姓名", width=12), Column("每期金额（元）", "fen", 14),
            Column("起", "date", 12), Column("止", width=12), Column("政策版本", width=20),
        )  # fmt: skip
        table = ((*_held(row, names), row.version) for row in iterate_held(wanted))
        return export(request, _title("benefits", asked), columns, table)
    found = list_held(wanted, request.GET.get("at", ""))
    places = names_of({row.division for row in found}, request.business_date)
    context |= {
        "page": found, "held": [(row, places.get(row.division, row.division), _end(row)) for row in found],
        "programme": programme, "programmes": list(names.items()), "names": programme_names(),
    }  # fmt: skip
    return render(request, "workbench/lists.html", context)


def _held(row: Entitlement, names: dict[str, str]) -> tuple[Any, ...]:
    who = row.person.name if row.person else "全户"
    return (
        row.household.household_no,
        names.get(row.programme, row.programme),
        who,
        row.amount_fen,
        row.valid_from,
        _end(row),
    )


def _end(row: Any) -> str:
    """The end as it was known."""
    if getattr(row, "changed", None) == "U":
        return row.was or ""
    return row.valid_to.isoformat() if row.valid_to else ""

"""Change what is known for a time, and keep what was known before (REG-05).

in    a model of `Bitemporal`, whose rows they are, a range in the world, and the columns that differ in it
out   rows closed (`recorded_to`) and rows added; nothing is overwritten

Terms: the rows *known now* of one owner do not overlap. A change from a day is a range without end; a correction of the
past is a range with one.

The column `added` is a set of facts by code: a revision names the codes that change (None: not known after all), the
others stay.

Always true: after `revise` the range shows the new values and every day outside it what it showed before; days of the
range nobody knew anything of get a row of their own, in which everything else is null; a revision that changes nothing
touches nothing. Runs inside the caller's transaction, which has locked the owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from huimin.organisation.acting import Actor
from huimin.registry.models import RECORDED, Bitemporal

_OWN = ("id", "valid_from", "valid_to", "recorded_from", "recorded_to")
_ORIGIN = ("evidence", "reported_by")


@dataclass(frozen=True)
class Span:
    """Days from `since` up to, not including, `until`; None is for ever."""

    since: date
    until: date | None = None


def known_now(model: type[Bitemporal], owner: Mapping[str, Any], span: Span) -> list[Any]:
    """Rows known now that overlap the span, by day."""
    rows = model.objects.filter(Q(valid_to=None) | Q(valid_to__gt=span.since), recorded_to=None, **owner)  # type: ignore[attr-defined]
    if span.until is not None:
        rows = rows.filter(valid_from__lt=span.until)
    return list(rows.order_by("valid_from"))


def revise(
    model: type[Bitemporal],
    owner: Mapping[str, Any],
    span: Span,
    values: Mapping[str, Any],
    *,
    by: Actor,
    division: str,
    evidence: str,
) -> bool:
    """Let `values` hold in `span`; whether anything changed."""
    rows = known_now(model, owner, span)
    gaps = _gaps(rows, span)
    if not gaps and all(_same(row, values) for row in rows):
        return False
    origin = {"evidence": evidence[:120], "reported_by": by.appointment, "division": division}
    first = {**values, **_merged(None, values)}
    new = [model(**owner, **first, **origin, valid_from=gap.since, valid_to=gap.until) for gap in gaps]
    for row in rows:
        new += _outside(model, row, span)
        inside = {**_content(row), **values, **origin, **_merged(row, values)}
        since = max(row.valid_from, span.since)
        new.append(model(**inside, valid_from=since, valid_to=_earlier(row.valid_to, span.until)))
    _replace(model, rows, new)
    return True


def _merged(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The row's added facts with those of `values` in their place; nothing when none is named."""
    if "added" not in values:
        return {}
    both = {**(row.added if row is not None else {}), **values["added"]}
    return {"added": {code: value for code, value in both.items() if value is not None}}


def end(model: type[Bitemporal], owner: Mapping[str, Any], day: date) -> bool:
    """Nothing of the owner holds from `day` on; whether anything changed."""
    rows = known_now(model, owner, Span(day))
    if rows:
        _replace(model, rows, [part for row in rows for part in _outside(model, row, Span(day))])
    return bool(rows)


def _replace(model: type[Bitemporal], rows: list[Any], new: list[Any]) -> None:
    model.objects.filter(pk__in=[row.pk for row in rows]).update(recorded_to=RECORDED)  # type: ignore[attr-defined]
    for row in sorted(new, key=lambda each: each.valid_from):
        row.save(force_insert=True)


def _outside(model: type[Bitemporal], row: Any, span: Span) -> list[Any]:
    """What `row` still says before and after the span, with the evidence it always had."""
    kept = {**_content(row), **{name: getattr(row, name) for name in _ORIGIN}}
    parts = []
    if row.valid_from < span.since:
        parts.append(model(**kept, valid_from=row.valid_from, valid_to=span.since))
    if span.until is not None and (row.valid_to is None or row.valid_to > span.until):
        parts.append(model(**kept, valid_from=span.until, valid_to=row.valid_to))
    return parts


def _gaps(rows: list[Any], span: Span) -> list[Span]:
    """Parts of the span no row covers."""
    gaps, at = [], span.since
    for row in rows:
        if row.valid_from > at:
            gaps.append(Span(at, row.valid_from))
        if row.valid_to is None:
            return gaps
        at = max(at, row.valid_to)
    if span.until is None or at < span.until:
        gaps.append(Span(at, span.until))
    return gaps


def _content(row: Any) -> dict[str, Any]:
    """Every column but those that say when and whence."""
    skipped = (*_OWN, *_ORIGIN)
    return {field.attname: getattr(row, field.attname) for field in row._meta.fields if field.attname not in skipped}


def _same(row: Any, values: Mapping[str, Any]) -> bool:
    """Encrypted bytes differ every time; the hash beside them tells."""
    if any(row.added.get(code) != value for code, value in values.get("added", {}).items()):
        return False
    compared = (name for name in values if name != "added" and not name.endswith("_enc"))
    return all(_plain(getattr(row, name)) == _plain(values[name]) for name in compared)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)

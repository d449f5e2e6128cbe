"""Reads of the kinship file: who declared, who is due, the relatives, whose households they live in (REG-10, CASE-08, CASE-09).

Inside `reading(by)`. The database shows the whole file at the county only; the pages ask `require_file` besides.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.database.personal import ID_NUMBER, plain
from huimin.kernel.masking import mask_identity
from huimin.kernel.places import chain
from huimin.kinship.declaring import DECLARERS
from huimin.kinship.models import Declaration, KinshipRule, Recusal, Relative
from huimin.kinship.recusal import HOUSEHOLDS_OF

WITHIN_DAYS = 90
"""Where the county has set nothing."""
ROWS_MAX = 5000


def within_days(division: str) -> int:
    """Days to declare in, of the nearest place that set them."""
    rules = {rule.division: rule for rule in KinshipRule.objects.filter(division__in=chain(division)).order_by("id")}
    return next((rules[code].within_days for code in reversed(chain(division)) if code in rules), WITHIN_DAYS)


def find_rule(division: str) -> KinshipRule | None:
    return KinshipRule.objects.filter(division__in=chain(division)).order_by("-division", "-id").first()


@dataclass(frozen=True)
class Officer:
    """Whether one officer declared for the year: `signed_on` None while he has not; `due` is the last day."""

    account: int
    name: str
    office: str
    division: str
    posts: str
    due: date
    signed_on: date | None
    relatives: int

    def overdue(self, on: date) -> bool:
        return self.signed_on is None and on > self.due


_OFFICERS = """
SELECT a.account_id, c.full_name, min(o.name), min(o.division), array_agg(DISTINCT a.post),
       greatest(%(first)s::date, min(a.valid_from)), d.signed_on, d.relatives
FROM organisation_appointment a
JOIN organisation_account c ON c.id = a.account_id JOIN organisation_office o ON o.id = a.office_id
LEFT JOIN LATERAL (SELECT min(k.signed_on) AS signed_on, max(k.relatives)::int AS relatives FROM kinship_declaration k
                   WHERE k.account = a.account_id AND k.year = %(year)s) d ON true
WHERE a.division >= %(low)s AND a.division < %(high)s AND a.post = ANY (%(posts)s) AND a.valid_from <= %(on)s
  AND (a.valid_to IS NULL OR a.valid_to > %(on)s) AND (%(account)s::bigint IS NULL OR a.account_id = %(account)s)
GROUP BY a.account_id, c.full_name, d.signed_on, d.relatives
ORDER BY d.signed_on IS NOT NULL, 6, min(o.division), a.account_id LIMIT %(rows)s
"""


def list_officers(prefix: str, on: date, days: int, *, account: int | None = None) -> list[Officer]:
    """Everybody who has to declare in the year of `on`, who has not in front; one query."""
    low, high = scope_of(prefix)
    labels = {post.value: post.label for post in DECLARERS}
    rows = fetch(
        _OFFICERS,
        {
            "first": date(on.year, 1, 1), "year": on.year, "low": low, "high": high, "posts": list(labels), "on": on,
            "account": account, "rows": ROWS_MAX,
        },
    )  # fmt: skip
    return [
        Officer(
            number, name, office, division, "、".join(labels[post] for post in posts), since + timedelta(days=days - 1),
            signed_on, relatives or 0,
        )
        for number, name, office, division, posts, since, signed_on, relatives in rows
    ]  # fmt: skip


@dataclass
class Share:
    """Of one township (or the county's offices): officers, declared, overdue, relatives."""

    division: str
    officers: int = 0
    declared: int = 0
    overdue: int = 0
    relatives: int = 0


def by_township(officers: list[Officer], on: date) -> list[Share]:
    """Counts by township; the county's own offices under the county's code."""
    shares: dict[str, Share] = {}
    for each in officers:
        code = each.division[:9].ljust(12, "0")
        share = shares.setdefault(code, Share(code))
        share.officers += 1
        share.declared += each.signed_on is not None
        share.overdue += each.overdue(on)
        share.relatives += each.relatives
    return [shares[code] for code in sorted(shares)]


def list_declarations_of(account: int, rows_max: int = 50) -> list[Declaration]:
    """Newest first, with the signature."""
    rows = Declaration.objects.filter(account=account).select_related("signature")
    return list(rows.order_by("-id")[:rows_max])


def list_relatives_of(account: int, rows_max: int = 200) -> list[Relative]:
    """Of one officer, in force first; each with `masked`, the number for the eye."""
    return show_numbers(
        list(Relative.objects.filter(account=account).order_by(F("ended_on").asc(nulls_first=True), "id")[:rows_max])
    )


def page_relatives(prefix: str, state: str = "", place: str = "", size: int = SIZE) -> Page[Relative]:
    """Relatives of officers who work beneath `prefix`; `state` is a relative's, or "ended"."""
    low, high = scope_of(prefix)
    rows = Relative.objects.filter(place__gte=low, place__lt=high)
    rows = rows.filter(ended_on__isnull=state != "ended")
    rows = rows.filter(state=state) if state not in ("", "ended") else rows
    page = cut(rows, ("place", "id"), place, size)
    show_numbers(page.rows)
    return page


def count_unsettled(prefix: str) -> int:
    low, high = scope_of(prefix)
    return Relative.objects.filter(
        place__gte=low, place__lt=high, ended_on=None, state=Relative.State.UNSETTLED
    ).count()


def show_numbers(rows: list[Relative]) -> list[Relative]:
    """Each with `masked`, the number for the eye."""
    for row in rows:
        row.masked = mask_identity(plain(row.id_number_enc, ID_NUMBER))  # type: ignore[attr-defined]
    return rows


@dataclass(frozen=True)
class RelatedHousehold:
    """A household in which somebody's declared relative lives: re-checked without exception (CASE-08, CASE-09)."""

    household: int
    household_no: str
    division: str
    relative: str
    relation: str
    declarer: str
    benefit: str
    declared_on: date


RELATED_HOUSEHOLDS = HOUSEHOLDS_OF.format(who="true")
"""household_id, relative_id of every relative in force, as of %(on)s: for lists of 100 % of registered relatives."""
_RELATED = f"""
SELECT h.id, h.household_no, h.division, r.name, r.relation, r.declarer, r.benefit, r.declared_on
FROM ({RELATED_HOUSEHOLDS}) k JOIN registry_household h ON h.id = k.household_id
JOIN kinship_relative r ON r.id = k.relative_id
WHERE h.division >= %(low)s AND h.division < %(high)s
ORDER BY h.division, h.id, r.id LIMIT %(rows)s
"""  # noqa: S608  constants of this room


def list_related_households(prefix: str, on: date) -> list[RelatedHousehold]:
    """Households beneath `prefix` with a declared relative, by village; complete only at the county (100 %)."""
    low, high = scope_of(prefix)
    labels = dict(Relative.Relation.choices)
    rows = fetch(_RELATED, {"low": low, "high": high, "on": on, "rows": ROWS_MAX})
    return [RelatedHousehold(*row[:4], labels[row[4]], *row[5:]) for row in rows]


def list_recusals(prefix: str, rows_max: int = 500) -> list[Recusal]:
    """What was left out of acts for many, newest first."""
    low, high = scope_of(prefix)
    return list(Recusal.objects.filter(division__gte=low, division__lt=high).order_by("-id")[:rows_max])


def list_left_out(request: str) -> list[str]:
    """Household numbers left out by the act of one request."""
    return list(
        Recusal.objects.filter(request=request).order_by("household_no").values_list("household_no", flat=True)[:200]
    )

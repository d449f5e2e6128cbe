"""Reads of the archives: a household's catalogue, stores, loans, what is overdue or missing (REG-08). Inside `reading(by)`."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from huimin.archives.models import Box, Disposal, Loan, Paper, Stocktake, StocktakeLine, Store
from huimin.cases.models import Case
from huimin.casework.models import CareAgreement, Decision, Relief
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.fieldwork.models import SurveyForm
from huimin.kernel.places import Level
from huimin.notices.models import NoticeRow
from huimin.payment.models import RosterLine
from huimin.policy.queries import programme_names
from huimin.registry.models import Attachment, CardAuthority, HouseholdFacts, ReportedChange
from huimin.telling.queries import certificates_of, letters_of

EACH_MAX = 100
ROWS_MAX = 5000


@dataclass(frozen=True)
class Document:
    """One entry of a household's catalogue. `page` is (route, number) of where an electronic one is seen; `paper` a Paper."""

    kind: str
    title: str
    dated_on: date
    where: str
    state: str
    page: tuple[str, int] | None = None
    paper: Paper | None = None


def catalogue_of(household: int) -> list[Document]:
    """Every paper and electronic document of a household, newest first; a query for each kind of source."""
    found = _papers(household)
    for source in (_registered, _cases, _lists):
        found += source(household)
    return sorted(found, key=lambda each: each.dated_on, reverse=True)


def _papers(household: int) -> list[Document]:
    rows = Paper.objects.filter(household=household).select_related("box__store").order_by("-id")[: 5 * EACH_MAX]
    return [
        Document(
            row.get_kind_display(), row.title, row.dated_on, f"{row.box.store.name} {row.box.place} 第 {row.place_no} 件",
            row.get_state_display(), paper=row,
        )
        for row in rows
    ]  # fmt: skip


def _electronic(kind: str, title: str, on: date, state: str, page: tuple[str, int] | None) -> Document:
    return Document(kind, title, on, "系统（电子）", state, page)


def _registered(household: int) -> list[Document]:
    facts = HouseholdFacts.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    forms = SurveyForm.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    scans = Attachment.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    changes = ReportedChange.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    held = Q(beneficiary__memberships__household=household, beneficiary__memberships__recorded_to=None)
    authorities = CardAuthority.objects.filter(held).distinct().order_by("-id")[:EACH_MAX]
    return [
        *(_electronic("登记", row.evidence or "基本信息", row.valid_from, "现行" if row.recorded_to is None else "已更正",
                      ("household", household)) for row in facts),
        *(_electronic("入户调查", f"基本信息表（{row.surveyors}）", row.surveyed_on, row.get_outcome_display(),
                      ("survey", household)) for row in forms),
        *(_electronic("扫描件", row.title, row.added_on, "加密保存", ("attachment", row.pk)) for row in scans),
        *(_electronic("变更", row.get_kind_display(), row.effective_on, row.get_state_display(), ("change", row.pk))
          for row in changes),
        *(_electronic("代领授权", f"授权书 {row.paper_no}", row.valid_from, row.get_state_display(), ("authority", row.pk))
          for row in authorities),
    ]  # fmt: skip


def _cases(household: int) -> list[Document]:
    names = programme_names()
    slips = Case.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    decisions = Decision.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    reliefs = Relief.objects.filter(household=household).order_by("-id")[:EACH_MAX]
    agreements = CareAgreement.objects.filter(entitlement__household=household).order_by("-id")[:EACH_MAX]
    noticed = NoticeRow.objects.filter(household=household).exclude(notice__subject__startswith="roster:")
    noticed = noticed.select_related("notice").order_by("-id")[:EACH_MAX]
    return [
        *(_electronic("申请承办单", names.get(row.programme, row.programme), row.asked_on, row.get_state_display(), ("case", row.pk))
          for row in slips),
        *(_electronic("审批决定", names.get(row.programme, row.programme), row.decided_on, row.get_outcome_display(),
                      ("proposal", row.proposal_id) if row.proposal_id else ("case", row.case_number or 0)) for row in decisions),
        *(_electronic("告知书", f"{row.get_kind_display()} {row.number}", row.issued_on, row.get_state_display(), ("told-letter", row.pk))
          for row in letters_of(household, EACH_MAX) if row.issued_on),
        *(_electronic("救助证", row.number, row.issued_on, row.get_state_display(), ("certificate", row.pk))
          for row in certificates_of(household, EACH_MAX)),
        *(_electronic("公示", row.notice.title, row.notice.starts_on, row.notice.get_state_display(), ("notice", row.notice_id))
          for row in noticed),
        *(_electronic("急难救助", row.get_cause_display(), row.recorded_on, row.get_state_display(), ("relief", row.pk))
          for row in reliefs),
        *(_electronic("照料协议", row.carer, row.signed_on, "已终止" if row.ended_on else "有效", ("care-person", row.person_id))
          for row in agreements),
    ]  # fmt: skip


_ROSTERS = """
SELECT l.programme, r.id, r.period_from, r.period_until, l.state, n.id, n.starts_on, n.title
FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
LEFT JOIN notices_noticerow w ON w.subject_line = coalesce(l.noticed_id, l.id)
LEFT JOIN notices_notice n ON n.id = w.notice_id AND n.subject = 'roster:' || coalesce(r.origin_id, r.id)
WHERE l.household_id = %(household)s AND r.state <> 'withdrawn' ORDER BY l.id DESC LIMIT %(most)s
"""


def _lists(household: int) -> list[Document]:
    """Rosters the household stands on, and the notices that published them."""
    names, states = programme_names(), dict(RosterLine.State.choices)
    found: dict[tuple[str, int], Document] = {}
    for code, roster, first, until, state, notice, posted, title in fetch(
        _ROSTERS, {"household": household, "most": 200}
    ):
        name = names.get(code, code)
        found["roster", roster] = _electronic(
            "发放清册", f"{name} {first} 至 {until}", first, str(states[state]), ("roster", roster)
        )
        if notice:
            found["notice", notice] = _electronic("公示", title, posted, "", ("notice", notice))
    return list(found.values())


def page_stores(prefix: str, place: str = "", size: int = SIZE) -> Page[Store]:
    """By place; each with `boxes_count`."""
    low, high = scope_of(prefix)
    rows = Store.objects.filter(division__gte=low, division__lt=high).annotate(boxes_count=Count("boxes"))
    return cut(rows, ("division", "number"), place, size)


def count_papers_of(stores: list[int]) -> dict[int, dict[str, int]]:
    """By store and state, for the rows of one page."""
    found: dict[int, dict[str, int]] = {}
    rows = Paper.objects.filter(box__store__in=stores).values_list("box__store", "state").annotate(n=Count("pk"))
    for store, state, number in rows.order_by():
        found.setdefault(store, {})[state] = number
    return found


def list_boxes(store: int) -> list[Box]:
    """By number, each with `papers_count`."""
    return list(
        Box.objects.filter(store=store)
        .annotate(papers_count=Count("papers", filter=~Q(papers__state="destroyed")))
        .order_by("number")[:1000]
    )


def page_papers(box: int, place: str = "", size: int = SIZE) -> Page[Paper]:
    rows = Paper.objects.filter(box=box).exclude(state=Paper.State.DESTROYED).select_related("household")
    return cut(rows, ("place_no", "id"), place, size)


def page_loans(prefix: str, state: str, on: date, place: str = "", size: int = SIZE) -> Page[Loan]:
    """`state`: open, overdue or returned; open ones by their last day."""
    low, high = scope_of(prefix)
    rows = Loan.objects.filter(division__gte=low, division__lt=high).select_related(
        "paper__household", "paper__box__store"
    )
    if state == "returned":
        return cut(rows.filter(returned_on__isnull=False), ("-id",), place, size)
    rows = rows.filter(returned_on=None)
    rows = rows.filter(due_on__lt=on) if state == "overdue" else rows
    return cut(rows, ("due_on", "id"), place, size)


def count_overdue(prefix: str, on: date) -> int:
    low, high = scope_of(prefix)
    return Loan.objects.filter(division__gte=low, division__lt=high, returned_on=None, due_on__lt=on).count()


def page_disposals(prefix: str, state: str = "", place: str = "", size: int = SIZE) -> Page[Disposal]:
    low, high = scope_of(prefix)
    rows = Disposal.objects.filter(division__gte=low, division__lt=high).select_related("target__store")
    return cut(rows.filter(state=state) if state else rows, ("-id",), place, size)


def count_proposed(prefix: str) -> int:
    low, high = scope_of(prefix)
    return Disposal.objects.filter(division__gte=low, division__lt=high, state=Disposal.State.PROPOSED).count()


def page_missing(prefix: str, place: str = "", size: int = SIZE) -> Page[Paper]:
    """Papers that the last stock-taking did not find."""
    low, high = scope_of(prefix)
    rows = Paper.objects.filter(division__gte=low, division__lt=high, state=Paper.State.MISSING)
    return cut(rows.select_related("household", "box__store"), ("division", "id"), place, size)


def list_stocktakes(store: int, rows_max: int = 20) -> list[Stocktake]:
    return list(Stocktake.objects.filter(store=store).order_by("-id")[:rows_max])


def list_lines(stocktake: int, wanted: str, rows_max: int) -> list[StocktakeLine]:
    """By box and place; `wanted`: waiting, found, missing or "" for all."""
    rows = StocktakeLine.objects.filter(stocktake=stocktake).select_related("paper__household", "paper__box")
    values = {"waiting": None, "found": True, "missing": False}
    rows = rows.filter(found=values[wanted]) if wanted in values else rows
    return list(rows.order_by("paper__box__number", "paper__place_no", "id")[:rows_max])


@dataclass(frozen=True)
class Place:
    """Counts of one village or township: households, those with a file, papers by state, loans overdue."""

    division: str
    households: int
    filed: int
    papers: int
    lent: int
    overdue: int
    missing: int


_PLACES = """
WITH homes AS (
    SELECT left(h.division, %(cut)s) AS place, count(*)::int AS households FROM registry_household h
    WHERE h.division >= %(low)s AND h.division < %(high)s AND h.closed_on IS NULL GROUP BY 1
), papers AS (
    SELECT left(p.division, %(cut)s) AS place, count(DISTINCT p.household_id)::int AS filed, count(*)::int AS papers,
           count(*) FILTER (WHERE p.state = 'lent')::int AS lent, count(*) FILTER (WHERE p.state = 'missing')::int AS missing
    FROM archives_paper p WHERE p.division >= %(low)s AND p.division < %(high)s AND p.state <> 'destroyed' GROUP BY 1
), late AS (
    SELECT left(l.division, %(cut)s) AS place, count(*)::int AS overdue FROM archives_loan l
    WHERE l.division >= %(low)s AND l.division < %(high)s AND l.returned_on IS NULL AND l.due_on < %(on)s GROUP BY 1
)
SELECT place, coalesce(households, 0), coalesce(filed, 0), coalesce(papers, 0), coalesce(lent, 0), coalesce(overdue, 0),
       coalesce(missing, 0)
FROM homes FULL JOIN papers USING (place) FULL JOIN late USING (place) ORDER BY place LIMIT %(rows)s
"""


def count_by_place(prefix: str, level: Level, on: date) -> list[Place]:
    """By township or village beneath `prefix`; counts every household, so a county takes part of a second."""
    low, high = scope_of(prefix)
    told = {"low": low, "high": high, "cut": int(level), "on": on, "rows": ROWS_MAX}
    return [Place(row[0].ljust(12, "0"), *row[1:]) for row in fetch(_PLACES, told)]

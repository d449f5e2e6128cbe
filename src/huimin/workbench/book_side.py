"""What the pages of the books share: which place, period and programme are asked for, tabs, names, words for papers (LED-02)."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from huimin.database.context import scope_of
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.money import in_words
from huimin.kernel.periods import Period, add_months, month_start
from huimin.ledger.models import LedgerAccount
from huimin.policy.queries import programme_names
from huimin.workbench.listing import Chosen, one_of
from huimin.workbench.registers import Filter

MONTHS_BACK = 36
TABS = (
    ("ledger", "科目余额表"), ("book-general", "总账"), ("book-detail", "明细账"), ("book-sheet", "资产负债表"),
    ("book-income", "收支表"), ("book-programmes", "项目明细表"),
)  # fmt: skip
SEATS = ("单位负责人", "财务主管", "复核", "制表")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: a place, whole months from `since` to `until`, a programme or all."""

    place: Chosen
    period: Period
    programme: str
    programmes: dict[str, str]
    months: list[tuple[str, str]]
    names: str

    def filters(self, *more: Filter) -> list[Filter]:
        first, last = self.period.start, add_months(self.period.until, -1)
        return [
            Filter("since", "起始月", self.months, f"{first:%Y-%m}", True), Filter("until", "截止月", self.months, f"{last:%Y-%m}", True),
            Filter("place", "地方", self.place.options, self.place.code),
            Filter("programme", "补贴项目", sorted(self.programmes.items()), self.programme), *more,
        ]  # fmt: skip

    def query(self, **more: Any) -> str:
        """The same question for another page."""
        first, last = self.period.start, add_months(self.period.until, -1)
        told = {
            "since": f"{first:%Y-%m}", "until": f"{last:%Y-%m}", "place": self.place.code, "programme": self.programme,
        } | {key: str(value) for key, value in more.items()}  # fmt: skip
        return urlencode({key: value for key, value in told.items() if value})

    @property
    def lines(self) -> list[str]:
        """Above the table on paper."""
        programme = f"　补贴项目：{self.programmes.get(self.programme, self.programme)}" if self.programme else ""
        return [f"编制单位：{self.names}　　会计期间：{self.period}{programme}"]


def asked(request: Any) -> Asked:
    """Inside `reading(actor)`. The business month when nothing (or nothing sensible) is asked for; BadInput when turned round."""
    on = request.business_date
    months = month_options(on)
    known = dict(months)
    now = f"{month_start(on):%Y-%m}"
    until = one_of(request.GET, "until", known, now) or now
    since = one_of(request.GET, "since", known, until) or until
    first, last = _month(since), _month(until)
    if first > last:
        raise BadInput(
            f"起始月 {first:%Y年%m月}晚于截止月 {last:%Y年%m月}",
            where="会计期间",
            remedy="请返回，把起始月选在截止月之前，或选同一个月",
        )
    place, programmes = chosen_book(request), programme_names()
    return Asked(
        place, Period(first, add_months(last, 1)), one_of(request.GET, "programme", programmes), programmes, months,
        "".join(chain_names(place.code, on)[2:]) if place.code else request.actor.office_name,
    )  # fmt: skip


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def month_options(on: date) -> list[tuple[str, str]]:
    """This month and those before it, the newest first."""
    starts = [add_months(month_start(on), -back) for back in range(MONTHS_BACK)]
    return [(f"{each:%Y-%m}", f"{each.year}年{each.month}月") for each in starts]


def month_of(source: Any, name: str, on: date, usual: date) -> date:
    """The first day of a month of the address."""
    found = one_of(source, name, dict(month_options(on)))
    return _month(found) if found else usual


def tabs(here: str, query: str) -> list[tuple[str, str, bool]]:
    return [(label, f"{reverse(route)}?{query}", route == here) for route, label in TABS]


def chosen_book(request: Any, source: Any = None) -> Chosen:
    """The books of one place, or of all within the actor's; places without books are not offered."""
    options = books_of(request.actor.prefix, request.business_date)
    code = one_of(request.GET if source is None else source, "place", dict(options))
    return Chosen(code or request.actor.prefix, code, options)


def books_of(prefix: str, on: date) -> list[tuple[str, str]]:
    """Places that keep books, with their names, by code."""
    first, last = scope_of(prefix)
    found = LedgerAccount.objects.filter(code="1002", division__gte=first, division__lt=last)
    codes = list(found.order_by("division").values_list("division", flat=True)[:2000])
    names = names_of(set(codes), on)
    return [(code, names.get(code, code)) for code in codes]


def words_of(label: str, amount_fen: int) -> str:
    """`拨入专款合计（大写）：人民币壹佰元整`, with 负 before what is below zero."""
    return f"{label}（大写）：{'负' if amount_fen < 0 else ''}{in_words(abs(amount_fen))}"

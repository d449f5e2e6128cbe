"""Dues of months, quarters, half-years and years, whole and begun, to the cent, each once (PAY-06, POL-02)."""

from collections.abc import Callable
from datetime import date

import pytest

from huimin.casework.models import Entitlement
from huimin.database.bulk import run
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.kernel.periods import Period, month, quarter
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import dues
from huimin.payment.commands.dues import NotAWholeStep, accrue_dues
from huimin.payment.models import Due

County = Callable[[str], str]
MIGRANT = "reservoir-migrant"
HALF = Period(date(2021, 7, 1), date(2022, 1, 1))
YEAR = Period(date(2021, 1, 1), date(2022, 1, 1))


@pytest.fixture
def one(county: County, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Entitlement]:
    """`one(period, payout, part, amount, since, until)`: the only entitlement of the programme, under such a policy."""
    county("decided")

    def make(
        period: str, payout: str, part: str = "", amount: int = 60_001, since: date = date(2021, 1, 1),
        until: date | None = None,
    ) -> Entitlement:  # fmt: skip
        run(
            "UPDATE policy_programme SET period = %s, payout = %s WHERE code = %s",
            [period, payout, MIGRANT],
            using="maintenance",
        )
        monkeypatch.setattr(dues, "_part_period", lambda *_: part)
        first = Entitlement.objects.using("maintenance").filter(programme=MIGRANT).order_by("pk")[0]
        others = Entitlement.objects.using("maintenance").filter(programme=MIGRANT).exclude(pk=first.pk)
        others.update(programme="elsewhere")
        mine = Entitlement.objects.using("maintenance").filter(pk=first.pk)
        mine.update(period=period, amount_fen=amount, valid_from=since, valid_to=until)
        return first

    return make


def accrue(period: Period) -> list[tuple[date, date, int]]:
    """The dues there are after accruing it twice."""
    by = actor(Post.DEPARTMENT_OFFICER, OfficeKind.WATER)
    accrue_dues(by=by, on=dates.ACCRUED, programme=MIGRANT, period=period)
    assert accrue_dues(by=by, on=dates.ACCRUED, programme=MIGRANT, period=period) == 0
    with reading(by):
        rows = Due.objects.filter(programme=MIGRANT).order_by("period_from")
        return list(rows.values_list("period_from", "period_until", "amount_fen"))


@pytest.mark.parametrize(
    ("period", "payout", "step", "whole"),
    [
        ("month", "monthly", 1, 12 * 60_001),
        ("month", "half_yearly", 1, 12 * 60_001),
        ("quarter", "quarterly", 3, 4 * 60_001),
        ("quarter", "yearly", 3, 4 * 60_001),
        ("half_year", "half_yearly", 6, 2 * 60_001),
        ("half_year", "quarterly", 3, 2 * 60_001),
        ("half_year", "monthly", 1, 2 * 60_001),
        ("year", "quarterly", 3, 60_001),
        ("year", "half_yearly", 6, 60_001),
        ("year", "yearly", 12, 60_001),
        ("year", "once", 12, 60_001),
    ],
)
def test_a_year_of_dues_is_the_years_amount_to_the_cent(
    one: Callable[..., Entitlement], period: str, payout: str, step: int, whole: int
) -> None:
    """PAY-06: every 期间 with every 发放; a due covers the shorter of the two."""
    one(period, payout)
    found = accrue(YEAR)
    assert len(found) == 12 // step
    assert sum(amount for *_, amount in found) == whole
    assert [since for since, *_ in found] == [date(2021, 1 + n * step, 1) for n in range(12 // step)]


def test_a_period_that_is_no_whole_step_is_refused_and_the_right_one_named(one: Callable[..., Entitlement]) -> None:
    """A half-yearly payment asked for by the quarter."""
    one("half_year", "half_yearly")
    by = actor(Post.DEPARTMENT_OFFICER, OfficeKind.WATER)
    for period in (quarter(2021, 3), month(2021, 8), Period(date(2021, 4, 1), date(2021, 10, 1))):
        with pytest.raises(NotAWholeStep) as refused:
            accrue_dues(by=by, on=dates.ACCRUED, programme=MIGRANT, period=period)
        assert "按半年" in refused.value.what
        assert ("2021-07/2021-12" if period.start.month >= 7 else "2021-01/2021-06") in refused.value.remedy
    assert len(accrue(HALF)) == 1


@pytest.mark.parametrize(
    ("part", "since", "until", "due"),
    [
        ("", date(2021, 9, 1), None, (date(2021, 9, 1), date(2022, 1, 1), 40_000)),
        ("by_month", date(2021, 7, 1), date(2021, 9, 1), (date(2021, 7, 1), date(2021, 9, 1), 20_000)),
        ("next_month", date(2021, 9, 1), None, (date(2021, 9, 1), date(2022, 1, 1), 40_000)),
        ("by_day", date(2021, 9, 1), None, (date(2021, 9, 1), date(2022, 1, 1), 60_000 - 60_000 * 62 // 184)),
        ("whole", date(2021, 9, 1), None, (date(2021, 7, 1), date(2022, 1, 1), 60_000)),
        ("whole", date(2021, 1, 1), date(2021, 8, 1), (date(2021, 7, 1), date(2022, 1, 1), 60_000)),
    ],
)
def test_a_begun_period_is_owed_as_the_policy_says(
    one: Callable[..., Entitlement], part: str, since: date, until: date | None, due: tuple[date, date, int]
) -> None:
    """不足期: 按月, 按日 (184 days from July on), 整期, 次月起; a silent policy pays by month."""
    one("half_year", "half_yearly", part, 60_000, since, until)
    assert accrue(HALF) == [due]


@pytest.mark.parametrize(("part", "amounts"), [("by_month", [10_000, 40_000]), ("whole", [60_000])])
def test_an_amount_changed_in_the_middle_is_owed_in_both_parts_or_once(
    one: Callable[..., Entitlement], part: str, amounts: list[int]
) -> None:
    """By month each amount for its own months; 整期 the first one alone, never twice."""
    first = one("half_year", "half_yearly", part, 60_000, date(2021, 1, 1), date(2021, 8, 1))
    other = Entitlement.objects.using("maintenance").filter(programme="elsewhere").order_by("pk")[0]
    changed = Entitlement.objects.using("maintenance").filter(pk=other.pk)
    changed.update(
        programme=MIGRANT, household=first.household_id, person=first.person_id, amount_fen=48_000,
        valid_from=date(2021, 8, 1),
    )  # fmt: skip
    assert [amount for *_, amount in accrue(HALF)] == amounts


def test_what_is_paid_once_is_owed_once(one: Callable[..., Entitlement]) -> None:
    """Also in the next quarter."""
    one("once", "once", "", 60_001, date(2021, 8, 1))
    assert [amount for *_, amount in accrue(quarter(2021, 3))] == [60_001]
    assert len(accrue(quarter(2021, 4))) == 1


def test_what_was_struck_after_an_objection_does_not_arise_again_but_what_is_decided_anew_does(
    one: Callable[..., Entitlement],
) -> None:
    """PAY-06: the first one's due of the half-year is withdrawn; the second holds from October on."""
    first = one("half_year", "half_yearly", "", 60_000, date(2021, 1, 1))
    accrue(HALF)
    run("UPDATE payment_due SET state = 'withdrawn' WHERE programme = %s", [MIGRANT], using="maintenance")
    assert [amount for *_, amount in accrue(HALF)] == [60_000]
    other = Entitlement.objects.using("maintenance").filter(programme="elsewhere").order_by("pk")[0]
    Entitlement.objects.using("maintenance").filter(pk=first.pk).update(valid_to=date(2021, 10, 1))
    Entitlement.objects.using("maintenance").filter(pk=other.pk).update(
        programme=MIGRANT, household=first.household_id, person=first.person_id, amount_fen=48_000, period="half_year",
        valid_from=date(2021, 10, 1),
    )  # fmt: skip
    assert sorted(amount for *_, amount in accrue(HALF)) == [24_000, 60_000]

"""The business date of a demonstration is looked at and moved from the command line, forwards only."""

from collections.abc import Callable
from datetime import date

from click.testing import CliRunner

from huimin.demo.cli import demo
from huimin.organisation.models import SimulatedClock
from huimin.organisation.queries import business_date


def _said(*told: str) -> tuple[int, str]:
    outcome = CliRunner().invoke(demo, ["day", *told])
    return outcome.exit_code, outcome.output


def test_the_business_date_moves_forwards_only(county: Callable[[str], str]) -> None:
    county("organised")
    now = business_date()
    assert _said() == (0, f"业务日期 {now}\n")
    assert _said("2021-12-31") == (0, f"业务日期 {now} → 2021-12-31\n") and business_date() == date(2021, 12, 31)
    code, words = _said("2021-12-30")
    assert code == 1 and "不能往回移" in words and business_date() == date(2021, 12, 31)
    assert _said("31/12/2021")[0] == 2
    SimulatedClock.objects.using("owner").all().delete()
    code, words = _said("2022-01-31")
    assert code == 1 and "不是演示" in words

"""明白卡 of a whole township in the background: every household once, resumed, replaced, refused (PAY-07, SEC-04)."""

import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pypdf
import pytest
from django.conf import settings

from huimin.audit.models import Event
from huimin.database.bulk import fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.jobs.commands import Overlaps
from huimin.jobs.working import work_one
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import Period
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.printing import store, working
from huimin.printing.commands import cancel_run, request_cards, request_letter_papers, take_cards, take_letter_papers
from huimin.printing.models import PrintFile, PrintRun
from huimin.printing.queries import half_years_about, made_of
from huimin.printing.store import PaperMissing
from huimin.telling.letters import owed_to, write_letters
from huimin.workbench.views.rosters import period_choices, period_text
from tests.workbench.people import client_of

County = Callable[[str], str]
ON = dates.CLOSED


def test_PAY_07_cards_of_a_township_are_made_once_resumed_and_replaced(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run goes on with the villages that are missing; files are encrypted; who takes one is remembered."""
    county("closed")
    place = townships()[0]
    by = actor(Post.SETTLEMENT, place)
    asked = {"by": by, "on": ON, "division": place, "period": dates.QUARTER}
    with pytest.raises(NotYourPost):
        request_cards(**asked | {"by": actor(Post.INFORMATION_OFFICER, _village(place))})
    with pytest.raises(NotYourPlace):
        request_cards(**asked | {"division": townships()[1]})
    with pytest.raises(BadInput):
        request_cards(**asked | {"division": _village(place)})
    run = request_cards(**asked)
    assert request_cards(**asked).pk == run.pk
    with reading(by):
        assert made_of(place, dates.QUARTER)
    _killed_after(2, monkeypatch)
    with reading(by):
        half = set(run.files.values_list("division", flat=True))
        assert 0 < len(half) < run.villages
        began = {row.division: row.sha256 for row in run.files.all()}
    assert work_one() is not None
    with reading(by):
        run.refresh_from_db()
        files = {row.division: row for row in run.files.all()}
        [homes] = fetch_one(
            "SELECT count(*) FROM registry_household WHERE division LIKE %s AND (closed_on IS NULL OR closed_on > %s)",
            [place[:9] + "%", dates.QUARTER.start],
        )
    assert (
        run.state == "ready" and len(files) == run.villages and sum(row.households for row in files.values()) == homes
    )
    assert all(files[village].sha256 == sha256 for village, sha256 in began.items())
    largest = max(files.values(), key=lambda row: row.households)
    row, content = take_cards(by=by, on=ON, file_id=largest.pk)
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    assert len(pages) >= row.households and "明白卡" in pages[0].extract_text()
    with reading(county_officer()):
        assert Event.objects.filter(kind=Event.Kind.EXPORTED, subject=f"statements:{row.division}").count() >= 2
    kept = Path(settings.HOME) / "printed" / str(run.pk) / f"{row.division}.bin"
    assert b"%PDF" not in kept.read_bytes()[:400]
    again = request_cards(**asked)
    assert again.pk != run.pk and work_one() is not None
    assert not kept.exists()
    with pytest.raises(PaperMissing):
        take_cards(by=by, on=ON, file_id=largest.pk)
    _pages(again)
    _letters(place)


def _letters(place: str) -> None:
    """CASE-11: letters that wait to be brought, one PDF a village; a department has a run of its own programmes and sees no other."""
    civil, clerk = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS), actor(Post.CLERK, place)
    with reading(civil):
        owed = list(owed_to(civil).filter(division__startswith=place[:9]).values_list("pk", flat=True)[:12])
    assert write_letters(by=civil, on=ON, letter_ids=owed) == len(owed) > 0
    asked = {"on": ON, "division": place, "period": dates.QUARTER}
    with pytest.raises(NotYourPost):
        request_letter_papers(by=actor(Post.SETTLEMENT, place), **asked)
    run = request_letter_papers(by=clerk, **asked)
    assert request_letter_papers(by=clerk, **asked).pk == run.pk and work_one() is not None
    with reading(clerk):
        files = list(run.files.filter(households__gt=0))
    assert sum(row.households for row in files) == len(owed)
    row, content = take_letter_papers(by=clerk, on=ON, file_id=files[0].pk)
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    assert len(pages) >= row.households and "告知书" in pages[0].extract_text()
    with pytest.raises(BadInput):
        take_letter_papers(by=civil, on=ON, file_id=files[0].pk)
    with pytest.raises(BadInput):
        take_cards(by=clerk, on=ON, file_id=files[0].pk)
    client = client_of(Post.CLERK, place)
    for address in ("runs/", "runs/new/", f"runs/{run.pk}/", f"run-files/{row.pk}/"):
        assert client.get(f"/told/{address}").status_code == 200
    assert "成批印制" in client.get("/told/letters/").content.decode()


def _killed_after(villages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone after so many villages, as after a power cut: nothing is told to the job."""
    left = [villages]

    def keep(run: int, village: str, content: bytes) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return kept(run, village, content)

    kept = store.keep
    with monkeypatch.context() as patched:
        patched.setattr(working.store, "keep", keep)
        with pytest.raises(KeyboardInterrupt):
            work_one()


def _village(township: str) -> str:
    with reading(county_officer()):
        [code] = fetch_one(
            "SELECT min(code) FROM divisions_division WHERE level = 12 AND code LIKE %s", [township[:9] + "%"]
        )
    return str(code)


def _pages(run: PrintRun) -> None:
    client = client_of(Post.SETTLEMENT, run.division)
    assert "成批印制" in client.get("/statements/").content.decode()
    assert client.get("/statements/runs/").status_code == client.get("/statements/runs/new/").status_code == 200
    assert client.get(f"/statements/runs/{run.pk}/").status_code == 200
    with reading(county_officer()):
        row = PrintFile.objects.filter(run=run, households__gt=0).first()
    assert row is not None and client.get(f"/statements/files/{row.pk}/").content[:4] == b"%PDF"
    assert client_of(Post.SETTLEMENT, townships()[1]).get(f"/statements/runs/{run.pk}/").status_code == 404


def test_PAY_07_a_run_that_is_called_off_offers_nothing_and_may_be_asked_for_again(county: County) -> None:
    """From its page, which shows how far it is by itself; who is in its way is told who calls it off where."""
    county("organised")
    asked = {"by": county_officer(), "on": ON, "division": county_officer().division, "period": dates.QUARTER}
    run = request_cards(**asked)
    town = actor(Post.SETTLEMENT, townships()[0])
    with pytest.raises(Overlaps, match="请等它做完；要取消，由那个地方办理印制的人或县惠民办经办，在“成批印制”里"):
        request_cards(by=town, on=ON, division=town.division, period=dates.QUARTER)
    with pytest.raises(BadInput, match="没有这次制作"):
        cancel_run(by=town, on=ON, run_id=run.pk)
    client, path = client_of(Post.COUNTY_OFFICER, county_officer().office_kind), f"/statements/runs/{run.pk}/"
    for shown in (client.get(path), client.get("/statements/runs/")):
        assert "?part=1" in shown.content.decode() and "印制明白卡：排队中" in shown.content.decode()
    part = client.get(f"{path}?part=1").content.decode()
    assert "<html" not in part and "排队中" in part and "data-over" not in part
    assert client_of(Post.SETTLEMENT, town.division).get(f"{path}cancel/").status_code == 404
    asking = client.get(f"{path}cancel/").content.decode()
    token = re.search(r'name="token" value="([0-9a-f]{32})"', asking)
    assert token is not None and f"{path}cancel/" in client.get(path).content.decode()
    assert "已取消制作" in client.post(f"{path}cancel/", {"token": token[1]}, follow=True).content.decode()
    assert "data-over" in client.get(f"{path}?part=1").content.decode()
    with reading(county_officer()):
        run.refresh_from_db()
        assert run.state == "failed" and not made_of(run.division, dates.QUARTER)
    with pytest.raises(AlreadyDone):
        cancel_run(by=county_officer(), on=ON, run_id=run.pk)
    assert request_cards(**asked).pk != run.pk


def test_PAY_07_cards_are_due_at_the_middle_and_the_end_of_the_year() -> None:
    first, second = Period(date(2021, 1, 1), date(2021, 7, 1)), Period(date(2021, 7, 1), date(2022, 1, 1))
    told = {date(2021, 5, 31): [], date(2021, 6, 1): [first], date(2021, 7, 31): [first], date(2021, 8, 1): [],
            date(2021, 12, 5): [second], date(2022, 1, 20): [second], date(2022, 2, 1): []}  # fmt: skip
    assert {day: half_years_about(day) for day in told} == told
    # What the desk asks for can be asked for on the page: in January the half-year that ended, too.
    assert all(
        {period_text(each) for each in periods} <= dict(period_choices(day)).keys() for day, periods in told.items()
    )

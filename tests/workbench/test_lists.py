"""Lists, their addresses, paging, exports and totals (spec/pages.md 34, 39, 40, 41, 46)."""

import io

import openpyxl
import pytest

from huimin.audit.models import Event
from huimin.database.paging import cut
from huimin.demo.actors import actor
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import Roster
from huimin.registry.models import Household
from huimin.screening.models import Proposal
from huimin.workbench.listing import day_of
from huimin.workbench.spreadsheet import Column, plain_text, write
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def test_pages_by_key_meet_every_row_once_both_ways(shared_county):
    shared_county("registered")
    with reading(actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)):
        everything = list(Household.objects.order_by("division", "-id").values_list("pk", flat=True))
        forward, place = [], ""
        while True:
            page = cut(Household.objects.all(), ("division", "-id"), place, 7)
            forward += [row.pk for row in page]
            if not page.next:
                break
            place = page.next
        backward, place = [row.pk for row in page], page.previous
        while place:
            page = cut(Household.objects.all(), ("division", "-id"), place, 7)
            backward = [row.pk for row in page] + backward
            place = page.previous
    assert forward == everything and backward == everything


@pytest.mark.parametrize("place", ["nonsense", "PA", "WyI+IiwxXQ", "WyI+IiwieCIsInkiXQ"])
def test_a_tampered_place_starts_from_the_beginning(shared_county, place):
    shared_county("registered")
    with reading(actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)):
        assert list(cut(Household.objects.all(), ("division", "id"), place, 3)) == list(
            cut(Household.objects.all(), ("division", "id"), "", 3)
        )


def test_the_export_is_the_screen_same_rows_same_sum_and_is_remembered(shared_county):
    shared_county("decided")
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    query = "programme=grain-one-off&state=granted"
    granted = Proposal.objects.using("maintenance").filter(programme="grain-one-off", state="granted")
    answer = client.get(f"/proposals/?{query}&export=xlsx&purpose=核对")
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    last = sheet.max_row - 1  # beneath it stands who took it, and why
    rows = list(sheet.iter_rows(min_row=2, max_row=last - 1))
    assert len(rows) == granted.count()
    assert round(sum(row[6].value for row in rows) * 100) == sum(granted.values_list("amount_fen", flat=True))
    assert all(isinstance(row[0].value, str) and row[0].number_format == "@" for row in rows)
    assert sheet.freeze_panes == "A2"
    assert round(sheet.cell(last, 7).value * 100) == sum(granted.values_list("amount_fen", flat=True))
    event = Event.objects.using("maintenance").filter(kind="exported").latest("id")
    assert event.detail["rows"] == len(rows)


def test_no_cell_is_run_as_a_formula_and_rare_names_survive(tmp_path):
    nasty = ["=1+1", "+86", "-5", "@cmd", "\tx", "李𬱖", "㛃䶮", "341599199001011234"]
    file = tmp_path / "x.xlsx"
    with file.open("wb") as out:
        write(out, "测试[]", [Column("值"), Column("金额（元）", "fen")], [(value, 5) for value in nasty])
    sheet = openpyxl.load_workbook(file).active
    shown = [sheet.cell(row, 1) for row in range(2, 2 + len(nasty))]
    assert [cell.value for cell in shown] == [plain_text(value) for value in nasty]
    assert all(cell.data_type == "s" for cell in shown)
    assert plain_text("=1+1") == "'=1+1" and plain_text("李𬱖") == "李𬱖"


def test_an_old_or_edited_address_never_fails(shared_county):
    shared_county("compiled")
    client = client_of(Post.CLERK, "341524100000")
    paths = [
        "/proposals/?kind=x&programme=y&state=z&place=999999999999&at=%%%",
        "/rosters/?state=none&place=341524101000",
        "/households/?name=%00&number=abc&place=1",
        "/batches/?state=?",
        "/notices/?state=1",
        "/exceptions/?kind=1",
        "/?due=never",
    ]
    for path in paths:
        assert client.get(path).status_code == 200, path


def test_a_list_shows_nothing_beside_ones_own_place(shared_county):
    """SEC-03: another township's code in the address is as if it were not there."""
    shared_county("compiled")
    client = client_of(Post.CLERK, "341524100000")
    other = Roster.objects.using("maintenance").exclude(division="341524100000").first()
    assert text(client.get(f"/rosters/?place={other.division}")).count(f"/rosters/{other.pk}/") == 0
    assert client.get(f"/rosters/{other.pk}/").status_code == 404


def test_a_department_reads_only_its_own_programmes(shared_county):
    """SEC-03"""
    shared_county("compiled")
    client = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    foreign = Roster.objects.using("maintenance").filter(programme="grain-one-off").first()
    own = Roster.objects.using("maintenance").filter(programme="dibao-rural").first()
    assert client.get(f"/rosters/{own.pk}/").status_code == 200
    assert client.get(f"/rosters/{foreign.pk}/").status_code == 409
    assert f"/rosters/{foreign.pk}/" not in text(client.get("/rosters/"))


def test_money_is_right_aligned_with_thousands_and_two_decimals(shared_county):
    shared_county("compiled")
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    page = text(client.get("/rosters/"))
    total = sum(Roster.objects.using("maintenance").values_list("amount_fen", flat=True))
    assert f'<td class="num">{total // 100:,}.{total % 100:02d}</td>' in page


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2021-7-1", "2021-07-01"),
        ("2021年7月1日", "2021-07-01"),
        ("20210701", "2021-07-01"),
        ("２０２１/07/01", "2021-07-01"),
    ],
)
def test_dates_are_taken_as_people_type_them(typed, day):
    assert day_of(typed).isoformat() == day


@pytest.mark.parametrize("typed", ["", "2021-13-01", "x", "2021-02-30", "202107"])
def test_what_is_no_date_is_none(typed):
    assert day_of(typed) is None

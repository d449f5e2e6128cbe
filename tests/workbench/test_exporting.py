"""Whoever takes rows of people out says why; who, when and why stand in what is taken and in the record (SEC-04, SEC-05, issue 4 point 7)."""

import io
import re

import openpyxl
import pypdf
import pytest

from huimin.audit.models import Event
from huimin.notices.models import Notice
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import Roster
from huimin.registry.models import Household
from tests.workbench.people import client_of

COUNTY = (Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def events():
    return Event.objects.using("maintenance").filter(kind="exported").order_by("id")


def first(model, **wanted):
    return model.objects.using("maintenance").filter(**wanted).order_by("id").first()


@pytest.mark.parametrize(
    "address", ["/proposals/?state=", "/exceptions/?state=", "/rosters/{roster}/?", "/lists/?kind=members"]
)
def test_a_list_of_people_is_taken_for_a_purpose_that_stands_in_it(shared_county, address):
    """Without a purpose the page asks, keeps the filters, and nothing is recorded; a single letter is no purpose."""
    shared_county("decided" if "roster" not in address else "compiled")
    roster = first(Roster) if "roster" in address else None
    address = address.format(roster=roster.pk if roster else "")
    client, before = client_of(*COUNTY), events().count()
    asked = client.get(f"{address}&export=xlsx")
    text = asked.content.decode()
    assert (
        asked.status_code == 200 and "用于什么" in text and '<input type="hidden" name="export" value="xlsx">' in text
    )
    assert client.get(f"{address}&export=xlsx&purpose=x").status_code == 422
    assert events().count() == before
    taken = client.get(f"{address}&export=xlsx&purpose=入户核查<b>")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(taken.streaming_content)))
    for sheet in book:
        [mark] = [cell.value for cell in sheet["A"] if str(cell.value).startswith("说明：")]
        assert "入户核查<b>" in mark and re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d 导出", mark) and "惠民" in mark
        assert "入户核查" in (sheet.oddHeader.right.text or "")
    assert book.properties.description and "入户核查" in book.properties.description
    last = events().last()
    assert events().count() == before + 1 and last.detail["purpose"] == "入户核查<b>" and "rows" in last.detail


@pytest.mark.parametrize(
    ("what", "post", "purpose"),
    [("roster", COUNTY, "清册签字存档"), ("notice", COUNTY, "张榜公示"), ("survey", COUNTY, "入户调查")],
)
def test_papers_bear_who_printed_them_and_what_for(shared_county, what, post, purpose):
    shared_county("published")
    address = {
        "roster": lambda: f"/rosters/{first(Roster).pk}/pdf/",
        "notice": lambda: f"/notices/{first(Notice).pk}/pdf/",
        "survey": lambda: f"/households/{first(Household, closed_on=None).pk}/survey/pdf/",
    }[what]()
    before = events().count()
    answer = client_of(*post).get(address)
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages]
    assert all(purpose in "".join(text.split()) for text in pages)
    told = client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get("/traces/?kind=exported").content.decode()
    assert f">{ {'roster': '清册', 'notice': '公示表', 'survey': '基本信息表'}[what] }</td>" in told
    assert client_of(*post).get("/traces/").status_code == 403
    assert events().count() == before + 1


def test_a_list_of_figures_is_marked_and_not_asked_about(shared_county):
    shared_county("decided")
    answer = client_of(*COUNTY).get("/ledger/?export=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert any("汇总统计" in str(cell.value) for cell in sheet["A"])

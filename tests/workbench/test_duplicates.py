"""Duplicates at the desk: list, comparison, judgement, merge and separation, each once and only for its posts (REG-04, SEC-02)."""

import re
from io import BytesIO

import openpyxl
import pytest

from huimin.demo.actors import actor
from huimin.duplicates.models import Inquiry, Merge, Pair
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import business_date
from huimin.registry.models import Person
from tests.duplicates.people import homes, person_of, search, second_record
from tests.registry.people import officer
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of


@pytest.fixture
def one(county):
    """A pair of one township: the first person, his second record, their homes."""
    county("decided")
    two = homes(2)
    first = person_of(two[0])
    second = second_record(first, two[1], name=first.name, on=business_date())
    search(business_date())
    with reading(officer()):
        pair = Pair.objects.select_related("first", "second").get(first=first, second=second)
    return pair, two


def township(home):
    return home.division[:9] + "000"


def post(client, path, data, token=""):
    return client.post(path, {**data, "token": token})


def choices_in(shown):
    return dict.fromkeys(re.findall(r'name="(choice-[^"]+)"', shown), "survivor")


def test_from_the_list_to_a_merge_and_back_reg_04_sec_02(one):
    pair, two = one
    clerk, reviewer = client_of(Post.CLERK, township(two[0])), client_of(Post.REVIEWER, township(two[0]))
    listed = text(clerk.get("/duplicates/"))
    assert "姓名相同" in listed and f"/duplicates/{pair.pk}/" in listed
    path = f"/duplicates/{pair.pk}/"
    shown = text(clerk.get(path))
    assert "逐项对照" in shown and "不同" in shown and pair.first.name in shown
    data = choices_in(shown) | {"stay": "first", "reason": "看了户口簿，是同一人"}
    assert clerk.post(path, {**data, "reason": "", "act": "check"}).status_code == 422
    unchosen = text(clerk.post(path, {"stay": "first", "reason": "看了户口簿", "act": "check"}))
    assert "没有选择" in unchosen
    checked = text(clerk.post(path, {**data, "act": "check"}))
    assert "不含这份档案" in checked and 'value="propose"' in checked
    token = token_of(checked)
    answers = [post(clerk, path, {**data, "act": "propose"}, token) for _ in range(2)]
    assert [each.status_code for each in answers] == [302, 302] and answers[0]["Location"] == answers[1]["Location"]
    with reading(officer()):
        merge = Merge.objects.get(pair=pair)
    where = f"/merges/{merge.pk}/"
    assert 'value="confirm"' not in text(clerk.get(where))
    assert "确认并档" in text(reviewer.get("/")), "it waits on the reviewer's desk"
    offered = text(reviewer.get(where))
    done = post(reviewer, where, {"act": "confirm"}, token_of(offered))
    assert done.status_code == 302
    again = text(clerk.get(where))
    assert "已并档" in again and "留在并入档案上的" in again
    assert post(clerk, where, {"act": "separate", "reason": ""}, token_of(again)).status_code == 422
    assert post(clerk, where, {"act": "separate", "reason": "另有其人"}, token_of(again)).status_code == 302
    assert post(reviewer, where, {"act": "split"}, token_of(text(reviewer.get(where)))).status_code == 302
    with reading(officer()):
        assert (
            Merge.objects.get(pk=merge.pk).state == "separated"
            and Person.objects.get(pk=pair.second_id).merged_into_id is None
        )
    assert pair.first.name in text(clerk.get("/merges/"))


def test_the_dead_number_finds_the_survivor_reg_04(one):
    from huimin.duplicates.merging import confirm_merge, propose_merge
    from tests.duplicates.people import number_of, wish
    from tests.registry.people import staff

    pair, two = one
    on = business_date()
    row = propose_merge(by=staff(Post.CLERK, two[0]), on=on, wish=wish(pair.first, pair.second))
    confirm_merge(by=staff(Post.REVIEWER, two[0]), on=on, merge=row.pk)
    dead = number_of(pair.first.birth_date, 901 if pair.first.sex == "男" else 902)
    client = client_of(Post.CLERK, township(two[0]))
    found = text(client.get("/search/", {"q": dead}))
    assert two[0].household_no in found and two[1].household_no not in found
    shown = text(client.get(f"/households/{two[0].pk}/"))
    assert f"/merges/{row.pk}/" in shown


def test_not_one_person_and_the_village_reg_04(one):
    pair, two = one
    clerk = client_of(Post.CLERK, township(two[0]))
    path = f"/duplicates/{pair.pk}/"
    assert clerk.post(path, {"stay": "first", "act": "ask", "question": ""}).status_code == 422
    token = token_of(text(clerk.get(path)))
    assert post(clerk, path, {"stay": "first", "act": "ask", "question": "请看户口簿"}, token).status_code == 302
    with reading(officer()):
        inquiry = Inquiry.objects.filter(pair=pair).select_related("person").order_by("id").first()
    village = client_of(Post.INFORMATION_OFFICER, inquiry.division)
    assert "核查是不是同一人" in text(village.get("/"))
    assert inquiry.person.name in text(village.get("/duplicates/inquiries/"))
    where = f"/duplicates/inquiries/{inquiry.pk}/"
    shown = text(village.get(where))
    assert post(village, where, {"answer": "other", "note": ""}, token_of(shown)).status_code == 422
    assert post(village, where, {"answer": "other", "note": "是堂兄弟"}, token_of(shown)).status_code == 302
    assert "是堂兄弟" in text(clerk.get(path))
    data = {"stay": "first", "act": "dismiss", "judgement": "村里核查是堂兄弟"}
    assert post(clerk, path, data, token_of(text(clerk.get(path)))).status_code == 302
    with reading(officer()):
        assert Pair.objects.get(pk=pair.pk).state == "dismissed"
    assert path not in text(clerk.get("/duplicates/")) and path in text(clerk.get("/duplicates/?state="))
    assert "dismiss" not in text(clerk.get(path))


def test_a_household_that_loses_its_head_names_another_reg_04(county):
    """The form asks for him, and says so when he is missing."""
    county("decided")
    two = homes(2)
    first = person_of(two[0], 0)
    second = second_record(first, two[1], on=business_date())
    search(business_date())
    with reading(officer()):
        pair = Pair.objects.get(first=first, second=second)
    clerk = client_of(Post.CLERK, township(two[0]))
    path = f"/duplicates/{pair.pk}/"
    shown = text(clerk.get(path + "?stay=second"))
    assert f'name="head-{two[0].pk}"' in shown
    data = choices_in(shown) | {"stay": "second", "reason": "看了户口簿，是同一人", "act": "check"}
    refused = clerk.post(path, data)
    assert refused.status_code == 422 and "还没有新户主" in text(refused)
    other = person_of(two[0], 1)
    checked = text(clerk.post(path, {**data, f"head-{two[0].pk}": other.pk}))
    assert re.findall(r"summary__list.*?</ul>", checked, re.S) == []
    assert 'value="propose"' in checked and f'value="{other.pk}"' in checked


def test_whose_pages_they_are_reg_04_sec_03(one):
    pair, two = one
    other = next(each for each in _townships() if each != township(two[0]))
    stranger = client_of(Post.CLERK, other)
    assert stranger.get(f"/duplicates/{pair.pk}/").status_code == 404
    assert str(pair.pk) not in re.findall(r"/duplicates/(\d+)/", text(stranger.get("/duplicates/")))
    settlement = client_of(Post.SETTLEMENT, township(two[0]))
    assert settlement.get("/duplicates/").status_code == 403
    watcher = client_of(Post.SUPERVISOR, OfficeKind.AUDIT)
    assert 'name="act"' not in text(watcher.get(f"/duplicates/{pair.pk}/"))
    village = client_of(Post.INFORMATION_OFFICER, pair.first.division[:12])
    assert village.get(f"/duplicates/{pair.pk}/").status_code == 403


def _townships():
    from huimin.demo.listing import townships

    return townships()


def test_the_list_as_workbook_and_paper_and_a_search_asked_for_reg_04(one):
    pair, two = one
    county = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    book = openpyxl.load_workbook(
        BytesIO(b"".join(county.get("/duplicates/?export=xlsx&purpose=核对").streaming_content))
    )
    cells = [cell for row in book.active.iter_rows(values_only=True) for cell in row]
    assert pair.first.name in cells and any("姓名相同" in str(cell) for cell in cells)
    assert county.get("/duplicates/?print=pdf").content.startswith(b"%PDF")
    assert "没有符合这些条件的" in text(county.get("/duplicates/?kind=number"))
    shown = text(county.get("/duplicates/search/"))
    assert "上次查重" in shown
    assert post(county, "/duplicates/search/", {}, token_of(shown)).status_code == 302
    assert "正在查重" in text(county.get("/duplicates/search/"))
    assert county.get("/duplicates/search/?part=1").status_code == 200
    clerk = client_of(Post.CLERK, township(two[0]))
    assert clerk.get("/duplicates/search/").status_code == 403
    assert actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE).post == "county_officer"

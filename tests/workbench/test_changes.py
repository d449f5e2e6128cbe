"""Changes of households and the survey form on pages: checked, shown with their effect, done once (REG-01, REG-02, REG-05)."""

import re
from datetime import timedelta

import pytest

from huimin.audit.models import Event
from huimin.casework.models import Entitlement
from huimin.database.rotating import sealed_files
from huimin.demo.listing import townships
from huimin.kernel.identity import check_digit
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import (
    Attachment,
    Household,
    HouseholdFacts,
    Membership,
    Person,
    ReportedChange,
    SurveyDraft,
)
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 500


def number(serial, born="20210601"):
    first = f"341599{born}{serial:03d}"
    return first + check_digit(first)


def place():
    return townships()[0]


def household(members_min=3):
    for found in Household.objects.using("maintenance").filter(division__startswith=place()[:9]).order_by("pk"):
        if len(members(found)) >= members_min:
            return found


def members(of):
    rows = Membership.objects.using("maintenance").filter(household=of, recorded_to=None, valid_to=None)
    return sorted(rows.select_related("person"), key=lambda row: (row.relation != "户主", row.pk))


def clerk():
    return client_of(Post.CLERK, place())


def do(client, path, data):
    """Checked first, then sent twice: one outcome."""
    shown = text(client.post(path, {**data, "stage": "check"}))
    assert 'value="do"' in shown, re.findall(r"summary__list.*?</ul>", shown, re.S)
    token = token_of(shown)
    answers = [client.post(path, {**data, "stage": "do", "token": token}) for _ in range(2)]
    assert [each.status_code for each in answers] == [302, 302], text(answers[0])[-3000:]
    assert answers[0]["Location"] == answers[1]["Location"]
    return text(client.get(answers[0]["Location"]))


def test_a_birth_from_the_village_to_the_township_reg_05(county):
    county("adopted")
    of = household()
    village = client_of(Post.INFORMATION_OFFICER, of.division[:12])
    assert f"/households/{of.pk}/changes/" in text(village.get(f"/households/{of.pk}/"))
    assert "出生" in text(village.get(f"/households/{of.pk}/changes/"))
    path = f"/households/{of.pk}/changes/birth/"
    told = {
        "name": "新生",
        "id_number": number(11).lower(),
        "relation": "孙",
        "effective_on": "2021-6-10",
        "evidence": "出生医学证明",
    }
    for wrong, words in (
        ({"id_number": number(11)[:17] + "9" if number(11)[17] != "9" else number(11)[:17] + "8"}, "校验位不符"),
        ({"relation": ""}, "请选择与户主关系"), ({"effective_on": "2030-1-1"}, "还没有到"), ({"evidence": ""}, "请填写依据"),
    ):  # fmt: skip
        bad = village.post(path, {**told, **wrong, "stage": "check"})
        assert bad.status_code == 422 and words in text(bad), words
    assert "由乡镇统计员录入" in do(village, path, told)
    row = ReportedChange.objects.using("maintenance").get()
    desk = clerk()
    assert "录入村里上报的变更" in text(desk.get("/")) and row.summary in text(desk.get("/changes/?state=reported"))
    page = text(desk.get(f"/changes/{row.pk}/"))
    assert number(11) not in page and "新生" in page
    answer = desk.post(f"/changes/{row.pk}/", {"act": "enter", "token": token_of(page)})
    assert answer.status_code == 302
    row = ReportedChange.objects.using("maintenance").get()
    if row.state == "entered":
        reviewer = client_of(Post.REVIEWER, place())
        assert "确认变更" in text(reviewer.get("/"))
        page = text(reviewer.get(f"/changes/{row.pk}/"))
        assert reviewer.post(f"/changes/{row.pk}/", {"act": "confirm", "token": token_of(page)}).status_code == 302
    assert Person.objects.using("maintenance").filter(name="新生").count() == 1
    assert "新生" in text(desk.get(f"/households/{of.pk}/"))


@pytest.mark.parametrize(
    "kind", ["death", "marriage", "divorce", "arrival", "departure", "move", "split", "join", "head", "identity"]
)
def test_every_kind_has_its_page_reg_05(shared_county, kind):
    shared_county("adopted")
    of = household()
    page = clerk().get(f"/households/{of.pk}/changes/{kind}/")
    assert page.status_code == 200 and "看会有什么影响" in text(page)
    assert not re.search(r"<select[^>]*>\s*</select>", text(page)), "a list with nobody to choose"
    empty = clerk().post(f"/households/{of.pk}/changes/{kind}/", {"stage": "check"})
    assert empty.status_code == 422 and "有问题需要改" in text(empty) and not re.search("必填|非法|无效", text(empty))


def test_a_split_from_the_page_reg_05(county):
    county("adopted")
    of = household()
    leaver = members(of)[2].person_id
    told = {
        "people": [leaver], "head": leaver, "division": of.division[:12], "address": "金寨县梅山镇9号", "phone": "",
        "effective_on": "2021-06-21", "evidence": "分户申请",
    }  # fmt: skip
    shown = do(clerk(), f"/households/{of.pk}/changes/split/", told)
    assert "已生效" in shown or "待确认" in shown
    assert "变更内容" in shown and "分户" in shown


def test_pages_of_others_are_closed_sec_02(shared_county):
    shared_county("adopted")
    of = household()
    for path in (
        "/changes/",
        f"/households/{of.pk}/changes/",
        f"/households/{of.pk}/survey/",
        f"/households/{of.pk}/attachments/",
    ):
        assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get(path).status_code == 403
    assert client_of(Post.SETTLEMENT, place()).get(f"/households/{of.pk}/changes/birth/").status_code == 403
    other = client_of(Post.CLERK, townships()[1])
    assert other.get(f"/households/{of.pk}/survey/").status_code in (404, 409)


def typed(page):
    """What the form holds, as a browser would send it."""
    found = dict(re.findall(r'<input class="govuk-input[^"]*" id="[^"]+" name="([^"]+)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def test_the_survey_form_checks_drafts_and_submits_reg_01(county):
    county("decided")
    row = Entitlement.objects.using("maintenance").filter(
        programme="dibao-rural", person=None, division__startswith=place()[:9]
    )[0]
    of, desk = row.household, clerk()
    path = f"/households/{of.pk}/survey/"
    page = text(desk.get(path))
    assert "油菜亩数" in page and "承包地亩数" in page and "还缺" in page
    values = {**typed(page), "effective_on": "2021-6-21", "evidence": "入户核实"}
    bad = {**values, "h.rice_mu": "９", "h.sown_land_mu": "8.5", "h.deposits": "多"}
    part = text(desk.post(f"{path}check/", bad))
    assert "水稻亩数大于实际种植亩数" in part and 'data-field="h.deposits"' in part and "油菜亩数" in part
    refused = desk.post(path, {**bad, "stage": "check"})
    assert refused.status_code == 422 and 'value="多"' in text(refused)
    assert desk.post(f"{path}draft/", {**values, "h.rapeseed_mu": "3.5"}).status_code == 204
    assert SurveyDraft.objects.using("maintenance").count() == 1 and 'value="3.5"' in text(desk.get(path))
    assert 'value="3.5"' not in text(client_of(Post.INFORMATION_OFFICER, of.division[:12]).get(path))
    same = desk.post(path, {**values, "gaps": "yes", "stage": "check"})
    assert same.status_code == 200 and "与登记一致" in text(same) and "登记调查" in text(same)
    gaps = desk.post(path, {**values, "h.rapeseed_mu": "3.5", "stage": "check"})
    assert gaps.status_code == 422 and "没有填" in text(gaps)
    told = {**values, "h.rapeseed_mu": "3.5", "h.deposits": "999999", "h.vehicles": "3", "gaps": "yes"}
    shown = do(desk, path, told)
    for words in ("油菜亩数", "3.50 亩", "待确认"):
        assert words in shown, re.sub(r"<[^>]+>", " ", shown[shown.index("<main") :])
    assert SurveyDraft.objects.using("maintenance").count() == 0
    change = ReportedChange.objects.using("maintenance").get()
    assert change.depends.startswith("影响")
    reviewer = client_of(Post.REVIEWER, place())
    page = text(reviewer.get(f"/changes/{change.pk}/"))
    reviewer.post(f"/changes/{change.pk}/", {"act": "confirm", "token": token_of(page)})
    facts = HouseholdFacts.objects.using("maintenance").get(household=of, recorded_to=None, valid_to=None)
    assert facts.added == {"rapeseed_mu": 350} and facts.deposits == 99_999_900
    officer = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert "变更后重新筛查" not in text(officer.get("/")), "what the change does was proposed at once"


def test_a_new_member_by_the_form_reg_01(county):
    county("adopted")
    of, desk = household(), clerk()
    path = f"/households/{of.pk}/survey/"
    more = text(desk.post(path, {"stage": "more", "new": "1", "effective_on": "2021-06-21", "evidence": "户口簿"}))
    assert "新成员 1" in more
    values = {**typed(more), "effective_on": "2021-06-21", "evidence": "户口簿", "gaps": "yes", "new": "1"}
    values |= {"n0.name": "外孙", "n0.id_number": number(41, "20200101"), "n0.relation": "孙", "n0.schooling": "否"}
    assert "岁" in text(desk.post(path, {**values, "n0.relation": "", "stage": "check"}))
    assert "印不到清册上" in text(desk.post(f"{path}check/", {**values, "n0.name": "外孙😀"}))
    do(desk, path, values)
    row = ReportedChange.objects.using("maintenance").get()
    assert "外*" in row.summary


def test_a_new_household_is_registered_once_reg_01(county):
    county("adopted")
    desk = clerk()
    page = text(desk.get("/households/new/"))
    village = household().division[:12]
    values = {
        **typed(page),
        "division": village,
        "effective_on": "2021-06-21",
        "evidence": "入户核实",
        "gaps": "yes",
        "new": "1",
    }
    assert "请填写家庭地址" in text(desk.post("/households/new/", {**values, "stage": "check"}))
    values |= {
        "h.address": "金寨县梅山镇徐冲村9号",
        "h.houses": "1",
        "n0.name": "户主",
        "n0.id_number": number(51, "19700101"),
    }
    assert "一户要有且只有一名户主" in text(
        desk.post("/households/new/", {**values, "n0.relation": "子", "stage": "check"})
    )
    shown = do(desk, "/households/new/", {**values, "n0.relation": "户主"})
    assert "户主 一家" in shown
    made = Household.objects.using("maintenance").order_by("-pk")[0]
    assert made.household_no.startswith(village) and len(members(made)) == 1
    assert HouseholdFacts.objects.using("maintenance").get(household=made, recorded_to=None).houses == 1
    again = desk.post("/households/new/", {**values, "n0.relation": "户主", "stage": "do", "token": "0" * 32})
    assert again.status_code == 422 and "已在册" in text(again)


def test_the_printed_form_and_scans_reg_02_sec_04(county):
    county("adopted")
    of, desk = household(), clerk()
    paper = desk.get(f"/households/{of.pk}/survey/pdf/")
    assert paper.status_code == 200 and paper.content.startswith(b"%PDF")
    path = f"/households/{of.pk}/attachments/"
    for content, words in ((b"MZ" + b"0" * 50, "不是 JPG、PNG 或 PDF"), (b"", "没有选文件")):
        page = text(desk.get(path))
        sent = {"file": scan("扫描.png", content)} if content else {}
        bad = desk.post(path, {"title": "签字页", "token": token_of(page), **sent})
        assert bad.status_code == 422 and words in text(bad)
    page = text(desk.get(path))
    assert (
        desk.post(path, {"title": "签字页", "token": token_of(page), "file": scan("扫描.png", PNG)}).status_code == 302
    )
    row = Attachment.objects.using("maintenance").get()
    stored = next(path for path, _ in sealed_files() if path.stem == row.sha256)
    assert PNG not in stored.read_bytes()
    looked = desk.post(f"/attachments/{row.pk}/", {"purpose": "核对签字"})
    assert looked.content == PNG and "attachment" in looked["Content-Disposition"]
    events = Event.objects.using("maintenance").filter(kind="looked", subject=f"attachment:{row.pk}")
    assert [each.detail["purpose"] for each in events] == ["核对签字"]
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    assert desk.post(f"/attachments/{row.pk}/", {"purpose": "核对签字"}).status_code == 409
    stored.unlink()


def scan(name, content):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content)


def test_a_household_as_it_was_known_reg_05(county):
    """What was entered today was not known yesterday, whatever day it holds from."""
    county("adopted")
    of, desk = household(), clerk()
    path = f"/households/{of.pk}/survey/"
    values = {**typed(text(desk.get(path))), "effective_on": "2021-06-21", "evidence": "种植面积登记表", "gaps": "yes"}
    do(desk, path, {**values, "h.rapeseed_mu": "3.5"})
    assert "3.50 亩" in text(desk.get(f"/households/{of.pk}/"))
    day = HouseholdFacts.objects.using("maintenance").filter(household=of, recorded_to=None)[0].recorded_from.date()
    assert "3.50 亩" in text(desk.get(f"/households/{of.pk}/?known={day + timedelta(days=1)}"))
    before = desk.get(f"/households/{of.pk}/?known={day - timedelta(days=2)}")
    assert before.status_code == 409 and "没有登记" in text(before)

"""Pages of simulation and coverage: drafts tried out, figures, examples, downloads, and who sees what (POL-04, POL-06)."""

import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.audit.models import Event
from huimin.database.bulk import fetch_one
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.models import PolicyText
from huimin.screening.simulation.models import Coverage, Finding, Simulation
from huimin.workbench.acts import new_token
from tests.policy.drafting import opened, raised
from tests.workbench.people import client_of

CHANGES_NOTHING = (
    "SELECT (SELECT count(*) FROM screening_proposal), (SELECT count(*) FROM casework_decision),"
    " (SELECT count(*) FROM casework_entitlement), (SELECT count(*) FROM screening_run)"
)


def officer():
    return client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def text(answer):
    return answer.content.decode()


def standard(page, name):
    """The field of a standard, by its label."""
    return re.search(rf'for="id_(standard-\d+)">{name}', page)[1]


def drafted(client, value="800", **more):
    """The answer to a draft that changes the standard of the rural allowance."""
    page = text(client.get("/simulations/new/?programme=dibao-rural&date=2021-07-01"))
    form = {
        "token": new_token(), "programme": "dibao-rural", "date": "2021-07-01", "determination_date": "2021-07-01",
        standard(page, "低保标准"): value,
    }  # fmt: skip
    return client.post("/simulations/new/", {**form, **more}, follow=True)


def sheets_of(answer):
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def test_a_draft_is_tried_out_and_changes_nothing(county):
    """POL-04: figures, budget, months, groups, examples; no proposal, decision, entitlement or run comes of it."""
    county("decided")
    before = fetch_one(CHANGES_NOTHING, using="maintenance")
    client = officer()
    page = text(drafted(client))
    assert "已测算完" in page
    row = Simulation.objects.using("maintenance").get()
    assert row.state == "finished" and row.title == "低保标准 800"
    for word in (
        "户新增",
        "草案改了什么",
        "农村居民最低生活保障",
        "800 元/月",
        "还没有登记指标",
        "各月应发",
        "按乡镇",
        "举例",
    ):
        assert word in page
    [dibao] = [each for each in row.result["programmes"] if each["code"] == "dibao-rural"]
    whole = row.result["total"]
    assert dibao["line"]["entering"] != whole["entering"], "some of them draw something else already"
    assert f"<strong>{dibao['line']['entering']}</strong>户新增" in page, "where one programme is touched, its figures"
    everything = text(client.get(f"/simulations/{row.pk}/?programme="))
    assert re.search(r"<option value=\"dibao-rural\" selected>", page.split('id="breakdown"')[1])
    assert "selected" not in everything.split('id="breakdown"')[1].split('name="programme"')[1].split("</select>")[0]
    assert fetch_one(CHANGES_NOTHING, using="maintenance") == before
    assert "低保标准 800" in text(client.get("/simulations/"))


def test_every_group_of_the_page_and_the_workbook_add_up(county):
    """POL-04: the same figures on the screen and in the workbook; each way of dividing adds up to the total."""
    county("decided")
    client = officer()
    drafted(client)
    row = Simulation.objects.using("maintenance").get()
    total = row.result["total"]
    book = sheets_of(client.get(f"/simulations/{row.pk}/?export=xlsx&purpose=核对"))
    assert book.sheetnames[:3] == ["草案", "项目", "各月"]
    for name in book.sheetnames[3:-1]:
        households = [line for line in book[name].iter_rows(min_row=2, values_only=True) if line[2] == "全部项目（户）"]
        assert sum(line[5] for line in households) == total["entering"]
        assert round(sum(line[11] for line in households) * 100) == total["after_fen"]
        page = text(client.get(f"/simulations/{row.pk}/?by={row.result['breakdowns'][0]['key']}"))
        assert f"{total['after_fen'] / 100:,.2f}" in page
    months = list(book["各月"].iter_rows(min_row=2, values_only=True))
    *months, whole, mark = months  # who took it and what for stands under the last row (SEC-04)
    assert len(months) == 12 and round(sum(line[2] for line in months) * 100) == total["after_fen"]
    assert round(whole[2] * 100) == total["after_fen"] and "核对" in mark[0]
    assert Event.objects.using("maintenance").filter(kind=Event.Kind.EXPORTED, subject__contains="政策测算").exists()


def test_a_household_is_explained_under_both(county):
    """POL-04: before and after with every number, from the facts that were counted."""
    county("decided")
    client = officer()
    drafted(client)
    row = Simulation.objects.using("maintenance").get()
    household = row.result["examples"]["more"][0]["household_id"]
    page = text(client.get(f"/simulations/{row.pk}/households/{household}/"))
    assert "现行" in page and "草案" in page and "低保标准 800.00" in page
    water = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.WATER)
    assert "农村居民最低生活保障" not in text(water.get(f"/simulations/{row.pk}/households/{household}/"))
    supervisor = text(
        client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get(f"/simulations/{row.pk}/households/{household}/")
    )
    assert "算出来的数" not in supervisor, "numbers of health are not for posts that only watch (SEC-04)"


@pytest.mark.parametrize(
    ("value", "says"),
    [("八百", "低保标准"), ("800 亩", "元/月"), ("", "草案和现行政策没有不同"), ("9" * 30, "")],
)
def test_a_draft_that_cannot_be_counted_says_why_at_its_field(shared_county, value, says):
    """POL-04: refused with a sentence at the field; what was typed stays; nothing is stored."""
    shared_county("adopted")
    answer = drafted(officer(), value)
    assert answer.status_code == 422 and "有问题需要改" in text(answer) and says in text(answer)
    field = standard(text(answer), "低保标准")
    assert (f'id="id_{field}_error"' in text(answer)) is bool(value), "a wrong value is told at its field"
    assert "第 1 行" not in text(answer), "a field has no lines"
    assert not Simulation.objects.using("maintenance").exists()


def test_a_file_of_new_text_is_a_draft(county):
    """POL-04: a condition changed; the text takes the place of the one it was written from."""
    county("decided")
    client = officer()
    path, words = PolicyText.objects.using("maintenance").filter(path__contains="grain").values_list("path", "text")[0]
    changed = words.replace("实际种植亩数 > 0 亩", "实际种植亩数 > 5 亩").replace(
        "当年实际种植粮食", "当年种粮五亩以上"
    )
    assert changed != words
    file = SimpleUploadedFile("grain.yaml", changed.encode())
    answer = drafted(client, "", programme="grain-one-off", file=file)
    assert "实际种植亩数高于 5 亩" in text(answer) and "实际种植亩数大于零" in text(answer), "in words"
    assert "条件“当年实际种植粮食”的说法" in text(answer) and "<td>条件“当年种粮五亩以上”</td>" in text(answer), (
        "one condition"
    )
    row = Simulation.objects.using("maintenance").get()
    assert list(row.draft["texts"]) == [path] and row.result["total"]["leaving"] + row.result["total"]["less"] > 0
    for wrong in (b"\xff\xfe\x00", "项目: grain-one-off\n条件: [".encode()):
        assert drafted(client, "", file=SimpleUploadedFile("wrong.yaml", wrong)).status_code == 422
    spoilt = SimpleUploadedFile("我的.yaml", words.replace("实际种植亩数 > 0 亩", "实际种植亩树 > 0 亩").encode())
    page = text(drafted(client, "", programme="grain-one-off", file=spoilt))
    assert re.search(r"我的\.yaml 第 \d+ 行第 \d+ 列：不认识的名称“实际种植亩树”", page), "by the name its author knows"
    assert Simulation.objects.using("maintenance").count() == 1


def test_a_version_being_drafted_is_counted_as_it_stands(county):
    """POL-03, POL-04: from the draft's page; by whoever reads that programme; nothing of the draft changes."""
    county("decided")
    draft = raised(opened(), "900 元/月")
    client = officer()
    assert f"?draft={draft.pk}&amp;programme=dibao-rural" in text(client.get(f"/policy-drafts/{draft.pk}/"))
    assert f"测算 {draft.pk} 号草案" in text(client.get("/simulations/"))
    page = text(client.get(f"/simulations/new/?draft={draft.pk}&programme=dibao-rural"))
    assert f'value="{draft.effective_on}"' in page and "standard-" not in page
    form = {"token": new_token(), "draft": draft.pk, "programme": "dibao-rural", "determination_date": "2021-10-01"}
    shown = text(client.post("/simulations/new/", form, follow=True))
    assert "900 元/月" in shown and "条件、算式" not in shown and "dibao-rural@" not in shown, "what changes, in words"
    row = Simulation.objects.using("maintenance").get()
    assert row.title.startswith(f"草案 {draft.pk} 号") and row.result["total"]["more"] > 0
    water = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.WATER)
    assert water.get(f"/simulations/new/?draft={draft.pk}").status_code == 409


def test_only_posts_that_work_on_policies_simulate_and_only_their_own(shared_county):
    """SEC-02, SEC-03: a township's clerk does not; a department drafts its own programmes."""
    shared_county("adopted")
    assert client_of(Post.CLERK, "341524100000").get("/simulations/").status_code == 403
    page = text(client_of(Post.DEPARTMENT_OFFICER, OfficeKind.WATER).get("/simulations/"))
    assert "大中型水库移民后期扶持" in page and "实际种粮农民一次性补贴" not in page


def test_empty_lists_say_what_to_do(shared_county):
    """spec/pages 55."""
    shared_county("adopted")
    client = officer()
    assert "还没有测算过" in text(client.get("/simulations/"))
    assert "还没有分析过" in text(client.get("/coverage/"))
    assert client.get("/simulations/999/").status_code == 404


# -- coverage


def analysed(client, day="2021-07-01"):
    return client.post("/coverage/", {"token": new_token(), "determination_date": day}, follow=True)


def test_whom_policies_reach_and_miss(county):
    """POL-06, DET-08: several programmes, poor and none, 建档立卡; the list pages by key, the workbook is the list."""
    county("decided")
    client = officer()
    page = text(analysed(client))
    assert "分析完成" in page and "哪几项一起享受" in page and "收入标准：农村居民最低生活保障" in page
    latest = Coverage.objects.using("maintenance").get()
    several = Finding.objects.using("maintenance").filter(coverage=latest, kind="several")
    held = fetch_one(
        "SELECT count(*) FROM (SELECT household_id FROM casework_entitlement GROUP BY 1"
        " HAVING count(DISTINCT programme) > 1) several",
        using="maintenance",
    )
    assert several.count() == held[0] > 0
    book = sheets_of(client.get("/coverage/?kind=several&export=xlsx&purpose=核对"))
    assert book.active.max_row == 1 + several.count() + 1  # heads above, who took it below
    assert text(client.get("/coverage/?kind=nonsense&at=nonsense")).count("<tr>") > 5


def test_a_village_sees_its_own_findings_and_may_not_begin(county):
    """SEC-02, SEC-03: the list is cut to one's place by the database; only the county's office analyses."""
    county("decided")
    analysed(officer())
    at = Finding.objects.using("maintenance").first().division[:9] + "000"
    client = client_of(Post.CLERK, at)
    seen = Finding.objects.using("maintenance").filter(division__startswith=at[:9], kind="unknown")
    book = sheets_of(client.get("/coverage/?kind=unknown&export=xlsx&purpose=核对"))
    assert book.active.max_row == 1 + seen.count() + 1
    assert "开始分析" not in text(client.get("/coverage/"))
    assert analysed(client).status_code == 409
    assert Coverage.objects.using("maintenance").count() == 1


def test_a_day_that_is_none_is_told_at_its_field(shared_county):
    """spec/pages 18, 19."""
    shared_county("adopted")
    answer = analysed(officer(), "去年")
    assert answer.status_code == 422 and "2021-07-01 的样子" in text(answer) and "去年" in text(answer)

"""The policy pages: the list and its workbook, one policy, a draft from its first word to approval (POL-01, POL-02, POL-03, POL-05)."""

import io
import re

import openpyxl

from huimin.audit.models import Event
from huimin.demo.actors import actor
from huimin.demo.listing import townships
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.models import DraftStep, PolicyDraft, PolicyText
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def token_of(page):
    return re.search(r'name="token" value="([0-9a-f]{32})"', page)[1]


def officer():
    return client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


RECORDERS = (
    ("hearing", Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS),
    ("department", Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS),
    ("experts", Post.FINANCE_OFFICER, OfficeKind.FINANCE),
    ("leading_group", Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE),
)


def begun(client):
    """The number of a draft of 农村低保, begun through the pages."""
    page = text(client.get("/policies/dibao-rural/draft/"))
    data = {"token": token_of(page), "effective_on": "2022-01-01", "reason": "物价上涨"}
    answer = client.post("/policies/dibao-rural/draft/", data)
    assert answer.status_code == 302, text(answer)
    return int(re.search(r"/policy-drafts/(\d+)/edit/", answer["Location"])[1])


def fields_of(page):
    """Every field of the drafting page as a browser would send it."""
    from html import unescape

    data = {name: unescape(value) for name, value in re.findall(r'<input[^>]*name="([^"]+)" value="([^"]*)"', page)}
    areas = re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', page)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        found = re.findall(r'<option value="([^"]*)"( selected)?>', options)
        areas.append((name, next((value for value, chosen in found if chosen), found[0][0])))
    ticked = dict.fromkeys(re.findall(r'<input type="checkbox"[^>]*name="([^"]+)" checked>', page), "on")
    return data | ticked | {name: unescape(value) for name, value in areas}


def field_named(page, words):
    """The name of the new value of the parameter with these words."""
    return re.search(rf'<b>{words}</b>.*?name="(p-\d+-value)"', page, re.S)[1]


def drafted(client, value="700 元/月"):
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    data = fields_of(page)
    name = field_named(page, "低保标准")
    data |= {name: value, name.replace("value", "source"): "金民〔2021〕9号"}
    answer = client.post(f"/policy-drafts/{number}/edit/", data)
    assert answer.status_code == 302, text(answer)
    return number


def submit(client, number):
    page = text(client.get(f"/policy-drafts/{number}/submit/"))
    return client.post(f"/policy-drafts/{number}/submit/", {"token": token_of(page)})


def record(number, key, post, office, outcome="agreed"):
    client = client_of(post, office)
    page = text(client.get(f"/policy-drafts/{number}/{key}/"))
    assert "由 <del>650 元/月</del> 改为 <ins>700 元/月</ins>" in page
    held_on = re.search(r'name="held_on" value="([^"]*)"', page)[1]
    data = {
        "token": token_of(page), "held_on": held_on, "place": "县政务中心", "attendants": "12 人", "opinion": "同意",
        "paper_no": "金惠〔2021〕1号", "outcome": outcome,
    }  # fmt: skip
    return client.post(f"/policy-drafts/{number}/{key}/", data)


def test_the_list_shows_what_is_in_force_and_what_waits_for_the_county_pol_01(shared_county):
    shared_county("adopted")
    page = text(officer().get("/policies/"))
    assert "农村居民最低生活保障" in page and "650 元/月" in page and "示例假设，未经公布" in page
    assert "未生效" in page and "缺：" in page
    waiting = text(officer().get("/policies/?status=waiting"))
    assert "农村居民最低生活保障" not in waiting
    published = text(officer().get("/policies/?view=published"))
    for column in (
        "序号",
        "主管部门",
        "补贴项目",
        "政策依据",
        "补贴对象",
        "国家",
        "省级",
        "市级",
        "县级",
        "申领流程",
        "备注",
    ):
        assert f">{column}</th>" in published


def test_the_workbook_has_the_published_columns_and_is_remembered_pol_01(shared_county):
    shared_county("adopted")
    answer = officer().get("/policies/?export=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    sheet = book.active
    head = [cell.value for cell in sheet[2]]
    assert head[:6] == ["序号", "主管部门", "补贴项目", "政策依据", "补贴对象", "补贴标准"]
    assert head[9:] == ["申领流程", "发放方式", "发放时间", "咨询方式", "备注"]
    assert [cell.value for cell in sheet[3]][5:9] == ["国家", "省级", "市级", "县级"]
    rows = {row[2].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=4)}
    assert "650 元/月" in rows["农村居民最低生活保障"][8]
    assert rows["农村居民最低生活保障"][1] == "金寨县民政局"
    assert Event.objects.using("maintenance").filter(kind="exported", subject__contains="政策清单").exists()


def test_one_policy_says_whom_how_much_by_which_law_and_since_when_pol_01(shared_county):
    shared_county("adopted")
    page = text(officer().get("/policies/dibao-rural/"))
    for words in (
        "家庭人均月收入低于低保标准", "民发〔2021〕57号", "（低保标准 − 家庭人均月收入） × 保障人口", "四舍五入到分",
        "人均金融资产上限", "三口之家按差额补足", "按原来的金额再发渐退月数（现为 0 月）：第 1 个月起 100%", "由哪些地方规定", "全国", "安徽省", "历次版本", "起草新版",
    ):  # fmt: skip
        assert words in page, words
    assert officer().get("/policies/no-such-policy/").status_code == 404


def test_a_policy_that_waits_says_what_is_missing_and_prints_nothing_pol_05(shared_county):
    shared_county("adopted")
    waiting = re.search(
        r'href="/policies/([a-z-]+)/"', text(officer().get("/policies/?status=waiting")).split("<tbody>")[1]
    )[1]
    page = text(officer().get(f"/policies/{waiting}/"))
    assert "本地还没有规定" in page and "明白纸" not in page
    answer = officer().get(f"/policies/{waiting}/pdf/")
    assert answer.status_code == 409 and "不能印明白纸" in text(answer)


def test_hand_outs_are_printed_from_the_policies_pol_05(shared_county):
    shared_county("adopted")
    for path in ("/policies/grain-one-off/pdf/", "/policy-booklet/"):
        answer = officer().get(path)
        assert answer.status_code == 200 and answer.content.startswith(b"%PDF")


def test_townships_read_and_do_not_draft_pol_02(shared_county):
    shared_county("adopted")
    clerk = client_of(Post.CLERK, townships()[0])
    assert "起草新版" not in text(clerk.get("/policies/dibao-rural/"))
    assert clerk.get("/policies/dibao-rural/draft/").status_code == 403
    assert clerk.get("/policy-drafts/").status_code == 403
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/policies/").status_code == 403


def test_a_department_drafts_its_own_programmes_only_pol_02(county):
    county("adopted")
    farmers = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    assert "起草新版" not in text(farmers.get("/policies/dibao-rural/"))
    page = text(farmers.get("/policies/dibao-rural/draft/"))
    data = {"token": token_of(page), "effective_on": "2022-01-01", "reason": "x"}
    answer = farmers.post("/policies/dibao-rural/draft/", data)
    assert answer.status_code == 409 and "不由" in text(answer)


def test_the_whole_way_through_the_pages_pol_03(county):
    """Fields filled in, submitted, four people, in force; what came of it stands on the policy's page."""
    county("adopted")
    client = officer()
    number = drafted(client)
    assert submit(client, number).status_code == 302
    for key, post, office in RECORDERS:
        assert record(number, key, post, office).status_code == 302
    assert PolicyDraft.objects.using("maintenance").get(pk=number).state == "approved"
    page = text(client.get(f"/policy-drafts/{number}/"))
    assert "已批准" in page and "2022-01-01 起施行" in page and "金惠〔2021〕1号" in page
    policy = text(client.get("/policies/dibao-rural/"))
    assert "低保标准由 650 元/月 改为 700 元/月" in policy and "尚未施行" in policy and "经四步审批" in policy


def test_a_fault_is_saved_told_at_its_field_and_not_submitted_pol_02(county):
    county("adopted")
    client = officer()
    number = drafted(client, "700 元/年")
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    name = field_named(page, "低保标准")
    assert re.search(rf'id="id_{name}_error">.*?应当是 元/月', page, re.S)
    assert f'href="#id_{name}"' in page and "错误：" in page.split("</title>")[0]
    answer = submit(client, number)
    assert answer.status_code == 409 and "应当是 元/月" in text(answer)
    assert PolicyDraft.objects.using("maintenance").get(pk=number).state == "drafting"


def test_live_checking_stores_nothing_and_names_the_field_pol_02(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    data = fields_of(page)
    del data["token"]
    expression = next(name for name, value in data.items() if value == "家庭人均月收入 < 低保标准")
    part = text(client.post(f"/policy-drafts/{number}/check/", data | {expression: "家庭人均月收入 < 低保标淮"}))
    assert f'data-field="{expression}"' in part and "最接近的是“低保标准”" in part
    assert "条件“家庭人均月收入低于当地低保标准”的算式" in part and "第 " not in part.split("案例重算")[0]
    part = text(client.post(f"/policy-drafts/{number}/check/", data | {expression: "家庭人均月收入 <= 低保标准"}))
    assert "家庭人均月收入不超过低保标准" in part and "还没有案例" in part
    part = text(client.post(f"/policy-drafts/{number}/check/", data | {"effective_on": "明年"}))
    assert 'data-field="effective_on"' in part
    assert PolicyDraft.objects.using("maintenance").get(pk=number).revision == 1


def test_what_is_typed_in_full_width_is_kept_plain_and_a_missing_source_is_named_pol_02(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    name = field_named(page, "低保标准")
    data = fields_of(page) | {name: "７００ 元／月"}
    part = text(client.post(f"/policy-drafts/{number}/check/", data))
    source = name.replace("value", "source")
    assert f'data-field="{source}"' in part and "低保标准的来源" in part and "没有写来源" in part
    part = text(client.post(f"/policy-drafts/{number}/check/", data | {source: "金民〔2021〕9号"}))
    assert "没有差错" in part and "<ins>700 元/月</ins>" in part
    part = text(client.post(f"/policy-drafts/{number}/check/", data | {name: "-700 元/月", source: "金民〔2021〕9号"}))
    assert "小于零" in part and f'data-field="{name}"' in part


def test_the_check_button_works_without_script_and_keeps_what_was_typed_pol_02(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    name = field_named(page, "低保标准")
    answer = client.post(f"/policy-drafts/{number}/edit/", fields_of(page) | {name: "十元", "look": "1"})
    assert answer.status_code == 200 and 'value="十元"' in text(answer) and "有 " in text(answer)
    assert PolicyDraft.objects.using("maintenance").get(pk=number).revision == 1


def test_conditions_are_added_dropped_and_shown_as_differences_pol_02(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    data = fields_of(page)
    last = max(int(found) for found in re.findall(r'name="c-(\d+)-text"', page))
    data |= {
        f"c-{last}-text": "户主年满 18 周岁", f"c-{last}-expression": 'any(成员, 年龄 >= 18)', f"c-{last}-citation": "金惠〔2021〕2号",
        "c-4-drop": "on",
        "cases": "案例:\n  - 编号: 空户\n    日期: 2022-01-01\n    户: {户籍类型: 城镇}\n    成员: []\n    结果: {符合: 否}\n",
    }  # fmt: skip
    answer = client.post(f"/policy-drafts/{number}/edit/", data)
    assert answer.status_code == 302
    page = text(client.get(f"/policy-drafts/{number}/"))
    assert "新增条件“户主年满 18 周岁”" in page and "家中有人年满 18" in page
    assert "条件“没有机动车，或机动车价值不超过当地限额”删去" in page


def test_the_text_view_saves_and_refuses_what_is_not_yaml_pol_02(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/text/"))
    data = fields_of(page)
    words = data["text"].replace("说明:", "说明：")
    answer = client.post(f"/policy-drafts/{number}/text/", data | {"text": words})
    assert answer.status_code == 302
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    assert "文字方式" in page and "YAML 写法不对" in page and "说明：" in page


def test_twice_clicked_once_recorded_pol_03(county):
    county("adopted")
    client = officer()
    number = drafted(client)
    page = text(client.get(f"/policy-drafts/{number}/submit/"))
    first = client.post(f"/policy-drafts/{number}/submit/", {"token": token_of(page)})
    again = client.post(f"/policy-drafts/{number}/submit/", {"token": token_of(page)})
    assert first["Location"] == again["Location"]
    assert record(number, *RECORDERS[0]).status_code == 302
    assert DraftStep.objects.using("maintenance").filter(draft=number).count() == 1


def test_sent_back_with_its_reason_pol_03(county):
    county("adopted")
    client = officer()
    number = drafted(client)
    submit(client, number)
    assert record(number, *RECORDERS[0], outcome="refused").status_code == 302
    page = text(client.get(f"/policy-drafts/{number}/"))
    assert "公众听证：退回" in page and "起草中" in page and "第 2 轮" in page


def test_what_is_missing_of_a_step_is_said_at_its_field_pol_03(county):
    county("adopted")
    client = officer()
    number = drafted(client)
    submit(client, number)
    hearer = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    page = text(hearer.get(f"/policy-drafts/{number}/hearing/"))
    data = {
        "token": token_of(page),
        "held_on": "2020-01-01",
        "place": "a",
        "attendants": "b",
        "opinion": "c",
        "paper_no": "d",
        "outcome": "agreed",
    }
    answer = hearer.post(f"/policy-drafts/{number}/hearing/", data)
    assert answer.status_code == 422 and "id_held_on_error" in text(answer) and "举行日期" in text(answer)
    answer = hearer.post(f"/policy-drafts/{number}/hearing/", {"token": token_of(page)})
    assert answer.status_code == 422 and "请填写文号" in text(answer) and "请选择同意还是退回" in text(answer)


def test_nobody_passes_his_own_draft_on_the_pages_either_pol_03(county):
    county("adopted")
    client = officer()
    number = drafted(client)
    submit(client, number)
    assert "记录公众听证" not in text(client.get(f"/policy-drafts/{number}/"))
    answer = client.get(f"/policy-drafts/{number}/hearing/")
    assert answer.status_code == 409 and "起草的人" in text(answer), "told before he fills anything in"
    for page in ("edit", "text"):
        answer = client.get(f"/policy-drafts/{number}/{page}/")
        assert answer.status_code == 409 and "提交以后文字不再改" in text(answer)
    data = {
        "token": "0" * 32,
        "held_on": "2021-07-01",
        "place": "a",
        "attendants": "b",
        "opinion": "c",
        "paper_no": "d",
        "outcome": "agreed",
    }
    answer = client.post(f"/policy-drafts/{number}/hearing/", data)
    assert answer.status_code == 409 and "起草的人" in text(answer)


def test_withdrawn_drafts_leave_no_text_pol_03(county):
    county("adopted")
    client = officer()
    number = drafted(client)
    page = text(client.get(f"/policy-drafts/{number}/withdraw/"))
    assert (
        client.post(
            f"/policy-drafts/{number}/withdraw/", {"token": token_of(page), "reason": "改由省里统一"}
        ).status_code
        == 302
    )
    assert "改由省里统一" in text(client.get(f"/policy-drafts/{number}/"))
    assert not PolicyText.objects.using("maintenance").filter(path__startswith="local/").exists()


def test_the_list_of_policies_asks_a_fixed_number_of_queries_pol_01(shared_county):
    """However many programmes there are."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    shared_county("adopted")
    client = officer()
    client.get("/policies/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/policies/?view=published")
    assert len(asked) <= 40, len(asked)


def test_empty_states_say_what_to_do(county):
    county("adopted")
    assert "还没有草稿" in text(officer().get("/policy-drafts/"))
    assert "没有这个状态的草稿" in text(officer().get("/policy-drafts/?state=approved"))
    assert actor(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE).name


def test_name_rhythm_exclusions_and_phasing_out_are_fields_too_pol_02_det_03(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    assert re.search(r'<option value="按季" selected>', page) and "head-name" not in page, "named where it begins"
    last = max(int(found) for found in re.findall(r'name="x-(\d+)-text"', page))
    case = (
        "案例:\n  - 编号: 不是农业户籍\n    日期: 2022-01-01\n    户: {户籍类型: 非农业}\n    成员: [{与户主关系: 户主}]\n"
        "    结果: {符合: 否}\n"
    )
    data = fields_of(page) | {
        "head-abbreviation": "农村保障", "head-payout": "按月", "cases": case,
        f"x-{last}-key": "grain-one-off", f"x-{last}-text": "领了种粮补贴的不给", f"x-{last}-citation": "金惠〔2021〕3号",
        "ph-trigger-income": "on", "ph-months": "6 个月", "ph-steps": "１－２　100%\n3起 80%", "ph-premise": "",
    }  # fmt: skip
    part = text(client.post(f"/policy-drafts/{number}/check/", {**data, "ph-steps": "2起 80%"}))
    assert 'data-field="ph-steps"' in part and "渐退的比例" in part and "没有从第 1 个月起" in part
    part = text(client.post(f"/policy-drafts/{number}/check/", {**data, f"x-{last}-key": "no-such"}))
    assert "no-such" in part and f'data-field="x-{last}' in part
    answer = client.post(f"/policy-drafts/{number}/edit/", data)
    assert answer.status_code == 302, text(answer)
    page = text(client.get(f"/policy-drafts/{number}/"))
    assert "简称</b>由 <del>农村低保</del> 改为 <ins>农村保障</ins>" in page
    assert "<del>按季</del> 改为 <ins>按月</ins>" in page and "领了种粮补贴的不给" in page and "渐退" in page
    draft = PolicyDraft.objects.using("maintenance").get(pk=number)
    assert draft.faults == 0 and "月: 3起" in draft.text and "期间" not in draft.text, "only what differs from above"
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    data = fields_of(page)
    assert data["ph-steps"].splitlines() == ["1-2 100%", "3起 80%"] and data["head-abbreviation"] == "农村保障"
    del data["ph-trigger-income"]
    emptied = {name: "" for name in data if name.startswith("ph-")}
    answer = client.post(
        f"/policy-drafts/{number}/edit/", data | emptied | {f"x-{last}-drop": "on", "head-abbreviation": ""}
    )
    assert answer.status_code == 302
    draft.refresh_from_db(using="maintenance")
    assert (
        "作废: 是" in draft.text.split("渐退:")[1]
        and "grain-one-off" not in draft.text
        and "农村保障" not in draft.text
    )


def test_a_form_sent_without_those_fields_leaves_them_as_they_are_pol_02(county):
    county("adopted")
    client = officer()
    number = begun(client)
    page = text(client.get(f"/policy-drafts/{number}/edit/"))
    data = {name: value for name, value in fields_of(page).items() if not name.startswith(("ph-", "x-", "head-"))}
    assert "还没有改动" in text(client.post(f"/policy-drafts/{number}/check/", data))


def test_a_text_of_ten_megabytes_is_refused_in_a_sentence_pol_02(shared_county):
    shared_county("adopted")
    answer = officer().post("/policy-drafts/1/check/", {"text": "字" * 3_500_000})
    assert answer.status_code == 400 and "送来的内容收不下" in text(answer) and "Bad Request" not in text(answer)

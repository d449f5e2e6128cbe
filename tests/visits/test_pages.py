"""Home visits on pages: who is to be visited, the form, signing, doubts into changes, letters, entrusted visits, papers, the desk (CASE-02, VER-02)."""

import json
import re
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.cases.models import Case
from huimin.demo.asking import ask as come
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County
from huimin.demo.visiting import visit as go
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.papers.visits import doubts_pdf, entrustment_pdf, proof_letter_pdf, visit_form_pdf, visit_pdf
from huimin.visits.models import Doubt, Entrustment, ProofLetter, Visit
from tests.cases.people import DAY, ask, entering, people
from tests.registry.people import members
from tests.visits.people import PNG, TOPICS
from tests.visits.test_letters import elsewhere
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice


def png(name="表.png", body=b"scan"):
    return SimpleUploadedFile(name, PNG + body, "image/png")


def typed(who, **more):
    went = [who[Post.CLERK].appointment, who[Post.INFORMATION_OFFICER].appointment]
    return {
        "visited_on": DAY.isoformat(), "investigators": went, "met": "applicant", "met_name": "本人", **TOPICS,
        "n0_name": "王一平", "n0_relation": "东邻", "n0_words": "确实困难", **more,
    }  # fmt: skip


def test_a_visit_at_the_desk_from_the_list_to_the_changed_registry_case_02_ver_02(county):
    county("screened")
    house = entering()
    who = people(house)
    township = house.division[:9] + "000"
    clerk, reviewer = client_of(Post.CLERK, township), client_of(Post.REVIEWER, township)
    assert "没有等着入户的" in text(clerk.get("/visits/"))
    case = ask(house, who[Post.CLERK])
    listed = text(clerk.get("/visits/"))
    assert house.household_no in listed and "还没有去" in listed
    assert clerk.get("/visits/?export=xlsx&purpose=核对").status_code == 200
    shown = text(clerk.get(f"/cases/{case.pk}/"))
    path = re.search(rf'href="(/visits/new/{house.pk}/\?[^"]*)"', shown)[1].replace("&amp;", "&")
    page = text(clerk.get(path))
    assert "登记入户调查" in page and who[Post.INFORMATION_OFFICER].name in page
    assert clerk.get(f"/visits/new/{house.pk}/").status_code == 404
    for wrong, words in (
        ({"investigators": [who[Post.CLERK].appointment]}, "须二人以上"), ({"visited_on": "2021-13-1"}, "调查日期"),
        ({"d0_fact": "wage_month", "d0_value": "2000"}, "请选是谁的"), ({"d0_fact": "deposits", "d0_who": "h", "d0_value": "很多"}, "请填数字"),
        ({"n0_words": ""}, "邻居没有写全"),
    ):  # fmt: skip
        bad = clerk.post(path, typed(who, token=token_of(page)) | wrong)
        assert bad.status_code == 422 and words in text(bad), words
    early = text(clerk.post(path, typed(who, token=token_of(page), visited_on="2021-01-01")))
    assert 'id="id_visited_on_error"' in early and "最低生活保障申请调查" in early, (
        "at its field; the page still says for what"
    )
    huge = SimpleUploadedFile("大.png", PNG + b"0" * (10 << 20), "image/png")
    bad = clerk.post(path, typed(who, token=token_of(page), form=huge))
    assert bad.status_code == 422 and "超过 10 MB" in text(bad) and not Visit.objects.using("maintenance").exists()
    told = typed(
        who,
        d0_fact="other_income_year",
        d0_who="h",
        d0_value="1,200",
        w0="门口停着一辆面包车",
        photo=png("堂屋.png", b"room"),
    )
    shown = post_twice(clerk, path, told)
    assert "已登记入户调查" in shown and "待签字" in shown and "王*平" in shown and "堂屋" not in shown
    made = Visit.objects.using("maintenance").get()
    assert made.papers.using("maintenance").count() == 1
    assert "补齐入户调查的签字" in text(clerk.get("/")) and "向申请人核实疑点" in text(clerk.get("/"))
    refused = clerk.get(f"/visits/{made.pk}/sign/")
    bad = clerk.post(f"/visits/{made.pk}/sign/", {"token": token_of(text(refused))})
    assert bad.status_code == 409 and "没有签名" in text(bad)
    shown = post_twice(clerk, f"/visits/{made.pk}/sign/", {"file": png("表.png")})
    assert "双方已签字" in shown and "签名摘要" in shown
    assert "2 条疑点" in text(clerk.get(f"/cases/{case.pk}/")) and "登记核实结果" in text(
        clerk.get(f"/cases/{case.pk}/")
    )
    money, van = Doubt.objects.using("maintenance").order_by("-fact")
    bad = clerk.post(
        f"/visits/doubts/{van.pk}/",
        {"token": token_of(text(clerk.get(f"/visits/doubts/{van.pk}/"))), "outcome": "refuted", "answer": "借来的车"},
    )
    assert bad.status_code == 422 and "排除疑点没有凭据" in text(bad)
    post_twice(
        clerk,
        f"/visits/doubts/{van.pk}/",
        {"outcome": "refuted", "answer": "借来的车", "evidence": "行驶证", "file": png("证.png")},
    )
    shown = post_twice(clerk, f"/visits/doubts/{money.pk}/", {"outcome": "confirmed", "answer": "去年打零工挣的"})
    assert "请接着办理变更" in shown and "办理变更" in shown
    assert "办理查实的变更" in text(clerk.get("/"))
    page = text(clerk.get(f"/visits/doubts/change/{house.pk}/"))
    assert "入户调查表" in page and "对待遇的影响" in page and "变更前" in page
    assert "<td>年其他收入</td>" in page and "<b>1,200.00 元/年</b>" in page, (
        "what was found stands beside what is registered"
    )
    shown = post_twice(
        clerk, f"/visits/doubts/change/{house.pk}/", {"effective_on": DAY.isoformat(), "evidence": "入户调查表"}
    )
    assert "已录入，待确认" in shown
    change = Doubt.objects.using("maintenance").get(pk=money.pk).change_id
    post_twice(reviewer, f"/changes/{change}/", {"act": "confirm"})
    shown = text(clerk.get(f"/visits/{made.pk}/"))
    assert "认定结果的变化" in shown and "已生效" in shown
    assert "没有待核实的疑点" in text(clerk.get("/visits/doubts/"))
    assert "100%" in text(clerk.get("/visits/rates/")) and "已签字" in text(clerk.get("/visits/done/?state=signed"))
    shown = post_twice(clerk, f"/cases/{case.pk}/pass/", {})
    assert "现在：民主评议" in shown
    assert "您的岗位不看健康情况" in text(client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get(f"/visits/{made.pk}/"))
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/visits/").status_code == 403
    farmers = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)  # another department's programme (SEC-03)
    assert house.household_no not in text(farmers.get("/visits/done/")) + text(
        farmers.get("/visits/doubts/?state=refuted")
    )
    assert farmers.get(f"/visits/{made.pk}/").status_code == farmers.get(f"/visits/doubts/{van.pk}/").status_code == 409
    clerk_of = who[Post.CLERK]
    for paper in (
        visit_pdf(by=clerk_of, on=DAY, visit_id=made.pk, address="http://127.0.0.1/"),
        visit_form_pdf(by=clerk_of, on=DAY, household=house.pk, label="农村低保申请调查", address="http://127.0.0.1/"),
    ):
        assert paper.startswith(b"%PDF")
    next_door = entering(nth=1)
    who = people(next_door)
    case = ask(next_door, who[Post.CLERK])
    clerk = client_of(Post.CLERK, next_door.division[:9] + "000")
    path = f"/visits/new/{next_door.pk}/?purpose=application&subject={case.subject}&case={case.pk}"
    shown = post_twice(clerk, path, typed(who, w0="门口停着一辆面包车", form=png("表.png")))
    assert "双方已签字" in shown and "有疑点的请向申请人核实" in shown, "not: 可以接着办这一步"


def test_letters_and_entrusted_visits_on_their_pages_with_papers_and_the_desk_case_02(county):
    county("screened")
    house = entering()
    who = people(house)
    township = house.division[:9] + "000"
    clerk, worker = client_of(Post.CLERK, township), members(house)[0].person
    case = ask(house, who[Post.CLERK])
    query = f"?purpose=application&subject=case:{case.pk}&case={case.pk}"
    asked = {
        "person": worker.pk,
        "kind": "employer",
        "addressee": "金寨茶厂",
        "question": "每月实发工资",
        "due_on": str(DAY + timedelta(days=5)),
    }
    shown = post_twice(clerk, f"/visits/letters/new/{house.pk}/{query}", asked)
    assert "已发函" in shown and "登记回函" in shown
    letter = ProofLetter.objects.using("maintenance").get()
    here = {"by": who[Post.CLERK], "on": DAY, "address": "http://127.0.0.1/"}
    assert proof_letter_pdf(letter=letter.pk, **here).startswith(b"%PDF")
    business_day(DAY + timedelta(days=6))
    assert "催收信函回执" in text(clerk.get("/")) and "超期未回" in text(clerk.get("/visits/letters/?state=late"))
    answer = {
        "answered_on": str(DAY + timedelta(days=6)),
        "answer": "每月实发 2600 元",
        "wage": "2,600",
        "file": png("回函.png"),
    }
    shown = post_twice(clerk, f"/visits/letters/{letter.pk}/answer/", answer)
    assert "已登记回函" in shown and "请向申请人核实" in shown and "月工资" in shown
    assert doubts_pdf(household=house.pk, **here).startswith(b"%PDF")
    village, officer, _ = elsewhere(house)
    out = {
        "to_division": village,
        "address": "河东路 8 号租住",
        "asks": "居住和就业收入",
        "due_on": str(DAY + timedelta(days=20)),
    }
    shown = post_twice(clerk, f"/visits/entrusted/new/{house.pk}/{query}", out)
    assert "已发委托调查函" in shown and "河东路 8 号" not in shown
    row = Entrustment.objects.using("maintenance").get()
    assert entrustment_pdf(entrustment=row.pk, **here).startswith(b"%PDF")
    there = client_of(Post.INFORMATION_OFFICER, village)
    assert "受委托入户调查" in text(there.get("/")) and there.get(f"/households/{house.pk}/").status_code == 409
    looked = there.post(f"/visits/entrusted/{row.pk}/address/", {"purpose": "入户调查"})
    assert "河东路 8 号租住" in text(looked)
    with reading(officer):
        went = [officer.appointment, elsewhere(house)[2].appointment]
    reply = typed(who) | {"investigators": went, "visited_on": str(DAY + timedelta(days=6)), "file": png("调查表.png")}
    assert "已回复" in post_twice(there, f"/visits/entrusted/{row.pk}/reply/", reply)
    assert "收下委托调查的回复" in text(clerk.get("/"))
    shown = post_twice(clerk, f"/visits/entrusted/{row.pk}/take/", {})
    assert "已收下，作为入户调查" in shown and "代为调查" in shown
    assert clerk.get(f"/visits/entrusted/{row.pk}/else/").status_code == 404
    for path in (
        "/visits/entrusted/?side=here",
        "/visits/entrusted/",
        "/visits/letters/",
        "/visits/doubts/?state=open",
    ):
        assert clerk.get(path).status_code == 200


def test_the_telephone_takes_little_along_and_sends_once_case_02_sec_04(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    clerk = client_of(Post.CLERK, house.division[:9] + "000")
    with reading(county_officer()):
        known = house.facts.get(recorded_to=None)
    told = clerk.get("/visits/phone/data/")
    round_of = json.loads(text(told))
    [row] = round_of["rows"]
    assert (row["household"], row["no"]) == (house.pk, house.household_no) and "no-store" in told["Cache-Control"]
    assert {"address", "phone", "facts", "id_number"}.isdisjoint(row) and known is not None
    assert "javascript" in clerk.get("/visits/phone/worker.js")["Content-Type"]
    shell = text(clerk.get("/visits/phone/"))
    assert row["head"] not in shell and round_of["key"] not in shell
    other = json.loads(text(client_of(Post.INFORMATION_OFFICER, house.division[:12]).get("/visits/phone/data/")))
    assert other["key"] != round_of["key"]
    address = f"{row['send']}?{row['matter']}"
    sent = typed(
        who,
        client_id="6d9b2f4e-8a11-4f6e-9a53-0d9a3c1f7e21",
        refused="",
        photo_1_at="2021-06-24T09:00:00+08:00",
        photo_1_spot="31.7,115.9,20",
    )

    def files():
        went = [who[Post.CLERK].appointment, who[Post.INFORMATION_OFFICER].appointment]
        return {
            "household": png("h.png", b"hand"), "photo_1": png("p.png", b"room"),
            **{f"signature_{each}": png(f"{each}.png", str(each).encode()) for each in went},
        }  # fmt: skip

    refused = clerk.post(address, sent | {"visited_on": "2021-06-01"} | files())
    assert refused.status_code == 422 and "早于申请" in json.loads(text(refused))["reason"]
    refused = clerk.post(address, sent | {"met": ""} | files())
    assert json.loads(text(refused))["state"] == "refused" and not Visit.objects.using("maintenance").exists()
    answers = [json.loads(text(clerk.post(address, sent | files()))) for _ in range(2)]
    assert answers[0] == answers[1] and (answers[0]["state"], answers[0]["words"]) == ("sent", "双方已签字")
    made = Visit.objects.using("maintenance").get()
    assert (made.state, made.case_id, made.papers.using("maintenance").count()) == ("signed", case.pk, 4)
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/visits/phone/data/").status_code == 403


def test_the_demonstration_s_visits_are_signed_and_repeat_without_effect_case_02(county, tmp_path):
    county("screened")
    made = County(people=1000, seed=1, home=tmp_path)
    come(made)
    assert go(made) == go(made) == {"visits": 3, "doubts": 1}
    assert set(Case.objects.using("maintenance").filter(state="open").values_list("step", flat=True)) == {"调查"}

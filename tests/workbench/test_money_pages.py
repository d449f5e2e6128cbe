"""Indicators, routes, money given back and the timetable at the desk (FUND-01, FUND-02, FUND-03, FUND-05)."""

import re

from huimin.funds.models import Allotment, AllotmentMove, MoneyMove, PayRoute
from huimin.organisation.posts import OfficeKind, Post
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def token_of(page):
    return re.search(r'name="token" value="([0-9a-f]{32})"', text(page))[1]


def post(client, path, **told):
    return client.post(path, {"token": token_of(client.get(path)), **told})


def test_money_from_above_at_the_desks_of_a_county(county):
    """FUND-01, FUND-02, FUND-03, FUND-05: each act by one person, checked by another, seen on the page it leads to."""
    county("answered")
    officer, releaser = (
        client_of(post_, OfficeKind.FINANCE) for post_ in (Post.FINANCE_OFFICER, Post.FINANCE_RELEASER)
    )
    kept = MoneyMove.objects.using("maintenance")
    row = Allotment.objects.using("maintenance").order_by("pk").first()
    tree = text(officer.get("/indicators/?year=2021"))
    assert row.document_no in tree and "省级 · 补助基数" in tree and "登记指标" in tree and "进度" in tree
    assert officer.get("/indicators/?year=2021&export=xlsx")["Content-Type"].endswith("sheet")

    # FUND-03: the township's application and the county's notice are papers of one period, a row a roster.
    page = text(officer.get("/applications/"))
    number = re.search(r'href="/applications/(\d+)/"', page)[1]
    asked, granted = (text(officer.get(f"/applications/{number}/{of}")) for of in ("", "notice/"))
    assert "拨款申请书：2021年7—9月" in asked and f"/applications/{number}/notice/" in asked and "第 1 号" in asked
    assert row.document_no in granted and "划款单" in granted
    assert officer.get(f"/applications/{number}/notice/?print=pdf").content[:5] == b"%PDF-"
    assert officer.get("/applications/999999/").status_code == 404
    told = {
        "division": "341524000000", "programme": row.programme, "year": "2021", "document_no": "皖财社〔2021〕99号", "issuer": "2",
        "kind": "added", "amount": "1,000.50",
    }  # fmt: skip
    assert post(officer, "/indicators/new/", **told | {"amount": "许多"}).status_code == 422
    assert "金额要大于零" in text(post(officer, "/indicators/new/", **told | {"amount": "-5"}))
    assert post(officer, "/indicators/new/", **told).status_code == 302
    made = Allotment.objects.using("maintenance").get(document_no="皖财社〔2021〕99号")
    assert "复核指标" in text(releaser.get("/")) and "待复核" in text(releaser.get(f"/indicators/{made.pk}/"))
    assert post(releaser, "/indicators/waiting/", outcome="agree", refusal="").status_code == 409
    assert post(releaser, "/indicators/waiting/", row=made.pk, outcome="refuse", refusal="").status_code in (409, 422)
    assert post(releaser, "/indicators/waiting/", row=made.pk, outcome="agree", refusal="").status_code == 302
    path = f"/indicators/{made.pk}/"
    assert "可用<strong>¥1,000.50" in text(officer.get(path))
    issued = {
        "target": "341524100000",
        "document_no": "金财社〔2021〕5号",
        "kind": "base",
        "amount": "400",
        "reason": "",
    }
    assert "余额不够" in text(post(officer, f"{path}issue/", **issued | {"amount": "5000"}))
    assert post(officer, f"{path}issue/", **issued).status_code == 302
    assert (
        post(officer, f"{path}cut/", document_no="皖财社〔2021〕120号", amount="100", reason="上级收回").status_code
        == 302
    )
    moves = list(AllotmentMove.objects.using("maintenance").values_list("pk", flat=True))
    assert post(releaser, "/indicators/waiting/", move=moves, outcome="agree", refusal="").status_code == 302
    assert "可用<strong>¥500.50" in text(officer.get(path)) and "└ 金财社〔2021〕5号" in text(
        officer.get("/indicators/?year=2021")
    )
    assert "没有可结转的余额" in text(officer.get("/indicators/carry/"))

    route = {
        "division": "341524000000",
        "programme": row.programme,
        "route": "direct",
        "document_no": "金财库〔2021〕1号",
        "valid_from": "2099-01-01",
    }
    assert post(officer, "/pay-routes/new/", **route | {"valid_from": "2020-01-01"}).status_code == 422
    assert post(officer, "/pay-routes/new/", **route).status_code == 302
    number = PayRoute.objects.using("maintenance").get().pk
    assert "复核支付方式" in text(releaser.get("/"))
    assert post(releaser, f"/pay-routes/{number}/", outcome="agree", refusal="").status_code == 302
    assert "国库集中支付" in text(officer.get("/pay-routes/")) and "已生效" in text(officer.get("/pay-routes/"))

    townships = sorted(
        {
            each.division
            for each in kept.model._meta.apps.get_model("payment", "RosterLine")
            .objects.using("maintenance")
            .filter(state="returned")
        }
    )
    settlement = client_of(Post.SETTLEMENT, f"{townships[0][:9]}000")
    listed = text(settlement.get("/money/back/"))
    back = re.search(r'href="(/money/back/\d+/)"', listed)[1]
    line = re.search(r'name="id" value="(\d+)"', text(settlement.get(back)))[1]
    assert post(settlement, back, document_no="缴款书 7", reason="对象死亡").status_code in (409, 422)
    assert post(settlement, back, id=line, document_no="缴款书 7", reason="对象死亡，户内无人").status_code == 302
    move = kept.get()
    assert "凭回单确认缴回" in text(officer.get("/"))
    told = {"division": move.division, "amount": "1", "document_no": "息 1", "reason": "利息"}
    none = text(post(officer, "/money/new/", kind="interest", programme="", **told))
    assert "要 1.00 元，账上应缴利息还剩 0.00 元" in none and 'value="息 1"' in none
    wrong = text(
        post(
            officer, "/money/new/", kind="interest", programme=move.programme, **told | {"reason": "息", "amount": "-1"}
        )
    )
    assert "利息不分项目" in wrong and "原因太短" in wrong and "金额要大于零" in wrong
    assert "请选择：补贴项目" in text(post(officer, "/money/new/", kind="up", programme="", **told))
    up = {"kind": "up", "programme": move.programme, "reason": "结余"}
    assert post(officer, "/money/new/", **told | up | {"amount": "0.01"}).status_code == 302
    path = f"/money/{kept.get(kind='up').pk}/"
    slip = {"outcome": "agree", "receipt_no": "H-78", "refusal": ""}
    early = post(releaser, path, booked_on="2021-09-01", **slip)
    assert early.status_code == 422 and "才提出" in text(early) and 'value="H-78"' in text(early)

    path = f"/money/{move.pk}/"
    assert "银行回单" in text(post(officer, path, outcome="agree", receipt_no="", booked_on="", refusal=""))
    answer = post(officer, path, outcome="agree", receipt_no="H-77", booked_on="2021-09-23", refusal="")
    assert answer.status_code == 302, text(answer)
    shown = text(officer.get("/money/"))
    assert "H-77" in shown and "已入账" in shown

    assert (
        officer.get("/settlements/?period=2021Q2").status_code == officer.get("/settlements/signed/").status_code == 200
    )
    for client in (officer, settlement, client_of(Post.SUPERVISOR, OfficeKind.AUDIT)):
        page = client.get("/timetable/?period=2021Q3")
        assert page.status_code == 200 and "银行发放到户" in text(page) and "按时" in text(page)
    assert officer.get("/timetable/?period=2021Q3&standing=late&export=xlsx").status_code == 200
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/timetable/").status_code == 403

"""Home visits in a browser: the telephone's form through a lost connection, sent once; every page accessible and narrow (CASE-02, SEC-04)."""

import time

import pytest

from huimin.demo.visiting import drawn
from huimin.organisation.models import Account
from huimin.organisation.posts import Post
from huimin.visits.doubts import settle_doubt
from huimin.visits.entrusting import issue_entrustment
from huimin.visits.letters import issue_letter
from huimin.visits.models import Doubt, Visit
from tests.browser.test_pages import faults_of
from tests.cases.people import DAY, ask, entering, people
from tests.registry.people import members
from tests.visits.people import Differs, found, sign, visit
from tests.visits.test_letters import elsewhere, matter

pytestmark = pytest.mark.browser
_KEPT = (
    "async () => (await caches.match('/visits/phone/')) !== undefined && navigator.serviceWorker.controller !== null"
)
_STORED = """async () => {
  const base = await new Promise((done) => { const r = indexedDB.open('huimin-visits'); r.onsuccess = () => done(r.result); });
  const all = (name) => new Promise((done) => { const r = base.transaction(name).objectStore(name).getAll(); r.onsuccess = () => done(r.result); });
  const words = [];
  for (const name of ['round', 'forms', 'files']) for (const row of await all(name)) words.push(JSON.stringify(row) + new TextDecoder().decode(row.sealed));
  const [own] = await all('keys');
  return [words.join(' '), own.key.extractable];
}"""

_KEYS = """async () => {
  const base = await new Promise((done) => { const r = indexedDB.open('huimin-visits'); r.onsuccess = () => done(r.result); });
  return new Promise((done) => { const r = base.transaction('keys').objectStore('keys').count(); r.onsuccess = () => done(r.result); });
}"""


def until(page, ask, wanted=True, seconds=15):
    """Asks a page again and again; its policy lets no text run as code, so Playwright cannot wait inside it."""
    for _ in range(seconds * 10):
        if page.evaluate(ask) == wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"never {wanted}: {ask}")


def draw(page, number):
    box = page.locator("canvas.pad").nth(number)
    box.scroll_into_view_if_needed()
    at = box.bounding_box()
    page.mouse.move(at["x"] + 20, at["y"] + 20)
    page.mouse.down()
    page.mouse.move(at["x"] + 120, at["y"] + 50 + 15 * number, steps=4)
    page.mouse.up()
    page.wait_for_timeout(150)


def test_a_visit_is_written_down_without_a_connection_and_sent_once_case_02_sec_04(site):
    running = site("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    username = Account.objects.get(pk=who[Post.INFORMATION_OFFICER].account).username
    window = running.sign_in(username, width=390, height=800)
    page = window.open("/visits/phone/")
    page.get_by_text("已取来今天要入户的").wait_for()
    until(page, _KEPT)
    page.context.set_offline(True)
    page.get_by_role("button", name="登记入户").click()
    page.get_by_label("统计员").first.check()
    page.get_by_label("申请人本人").check()
    for code in ("health", "living", "work", "spending"):
        page.fill(f"#f-{code}", "独居老人，家里只有一张旧床")
    for part, words in (("name", "王一平"), ("relation", "东邻"), ("words", "确实困难")):
        page.fill(f"#f-n0_{part}", words)
    picture = {"name": "堂屋.png", "mimeType": "image/png", "buffer": drawn(5)}
    page.set_input_files("#f-photos", [picture])
    page.get_by_text("照片 1").wait_for()
    for number in range(3):
        draw(page, number)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_text("已签").nth(2).wait_for()  # stored
    page.reload()  # the telephone threw the page away, and there is no signal
    page.get_by_text("没有网络，现在填的先存在手机上").wait_for()
    stored, readable = page.evaluate(_STORED)
    assert "旧床" not in stored and house.household_no not in stored and readable is False
    page.get_by_role("button", name="接着填").click()
    assert page.input_value("#f-health") == "独居老人，家里只有一张旧床"
    page.get_by_text("照片 1").wait_for()
    page.get_by_text("已签").nth(2).wait_for()
    page.get_by_role("button", name="完成发送").click()
    page.get_by_text("没有网络，恢复后自动发送").wait_for()
    page.get_by_text("未发送").wait_for()
    assert not Visit.objects.using("maintenance").exists()
    lost = []

    def lose(route):
        """The first answer never arrives, though the server took the form."""
        lost.append(route.fetch())
        route.abort()

    page.route("**/visits/phone/send/**", lose, times=1)
    page.context.set_offline(False)
    page.get_by_text("已发送").first.wait_for(timeout=40_000)
    assert len(lost) == 1 and "双方已签字" in page.inner_text("main")
    made = Visit.objects.using("maintenance").get()
    assert (made.state, made.subject, made.papers.using("maintenance").count()) == ("signed", case.subject, 4)
    stored, _ = page.evaluate(_STORED)
    assert "photo_" not in stored and window.elsewhere == []
    page.goto(window.url + "/")  # who signs out takes the key along
    page.click("details.me summary")
    page.click("text=退出")
    until(page, _KEYS, 0)


def test_every_page_of_visits_is_accessible_and_narrow_case_02(site):
    running = site("screened")
    house = entering()
    who = people(house)
    clerk = who[Post.CLERK]
    case = ask(house, clerk)
    made = sign(visit(case, who, found=found(Differs(2, "vehicles"), Differs(what="门口停着一辆面包车" * 20))), who)
    due = DAY.replace(month=7)
    letter = issue_letter(
        by=clerk, on=DAY, **matter(case), person=members(house)[0].person.pk, kind="employer", addressee="金寨茶厂",
        question="每月实发工资", due_on=due,
    )  # fmt: skip
    away = issue_entrustment(
        by=clerk,
        on=DAY,
        **matter(case),
        asks="居住和就业",
        address="河东路 8 号",
        due_on=due,
        to_division=elsewhere(house)[0],
    )
    doubt, van = Doubt.objects.using("maintenance").order_by("-fact")
    settle_doubt(by=clerk, on=DAY, doubt_id=doubt.pk, confirmed=True, answer="是自家的两辆车")
    query = f"?purpose=application&subject={case.subject}&case={case.pk}"
    paths = [
        "/visits/", "/visits/done/", "/visits/rates/", "/visits/doubts/", "/visits/letters/", "/visits/entrusted/", "/visits/phone/",
        f"/visits/new/{house.pk}/{query}", f"/visits/{made.pk}/", f"/visits/{made.pk}/void/", f"/visits/doubts/{van.pk}/", f"/visits/doubts/change/{house.pk}/",
        f"/visits/letters/{letter.pk}/", f"/visits/letters/{letter.pk}/answer/", f"/visits/letters/new/{house.pk}/{query}",
        f"/visits/entrusted/{away.pk}/", f"/visits/entrusted/new/{house.pk}/{query}", f"/visits/entrusted/{away.pk}/address/",
        f"/cases/{case.pk}/",
    ]  # fmt: skip
    window, faults = running.sign_in(Account.objects.get(pk=clerk.account).username), {}
    for path in paths:
        window.open(path)
        faults[path] = faults_of(window)
    there = running.sign_in(Account.objects.get(pk=elsewhere(house)[1].account).username)
    there.open(f"/visits/entrusted/{away.pk}/reply/")
    faults["reply"] = faults_of(there)
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    assert window.errors == [] and window.elsewhere == []

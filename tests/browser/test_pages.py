"""Every page as a person meets it: accessible, by keyboard, on a narrow window, with nothing from elsewhere.

The pages are found by following links as several posts, one page of each route, at the end of the quarter; a test
holds the routes that were met against the routes there are. Checks of spec/pages.md: 6, 13, 14, 16, 20, 47, 48, 49.
"""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.urls import get_resolver, resolve

from huimin.demo.actors import demo_password
from tests.browser.conftest import ROOT, Site, Window

pytestmark = pytest.mark.browser

PEOPLE = (
    "county-administrator",
    "bank-operator",
    "finance-accountant",
    "finance-officer",
    "county-officer",
    "meishan-clerk",
    "civil-officer",
    "civil-approver",
    "meishan-reviewer",
    "meishan-settlement",
    "meishan-head",
    "finance-releaser",
)
"""Those with pages nobody else has first: once every page is met, the rest follow the links of their desks only."""
ONLY_POSTED_TO = {
    "sign-out",
    "write-orders",
    "write-files",
    "account-act",
    "watch-run",
    "certificate-papers",
    "visit-send",
}
NOT_A_PAGE = {
    "print-file",
    "letter-run-file",
    "case-paper",
    "collective-paper",
    "meeting-paper",
    "meeting-scan",
    "import-faults",
    "letter-pdf",
    "letter-scan",
    "survey-pdf",
    "survey-check",
    "survey-draft",
    "survey-new-check",
    "survey-new-draft",
    "policy-pdf",
    "policy-booklet",
    "policy-draft-check",
    "batch-file",
    "kinship-paper",
    "archive-labels",
    "archive-household-paper",
    "course-sheet",
    "course-material",
    "appeal-paper",
    "rectification-report-pdf",
    "recovery-paper",
    "roster-pdf",
    "voucher-pdf",
    "vouchers-pdf",
    "voucher-scan",
    "sample-sheet",
    "sample-text",
    "notice-pdf",
    "notice-photo",
    "told-paper",
    "told-papers",
    "told-receipt",
    "publicity-paper",
    "publicity-photo",
    "visit-blank",
    "visit-data",
    "visit-pdf",
    "visit-worker",
    "doubts-pdf",
    "entrustment-pdf",
    "proof-letter-pdf",
}
# Pages of a moment that a quarter that is over does not link to; each has its own test or journey.
OF_A_MOMENT = {
    "settlement-new",
    "own-fact",
    "indicators-carry",
    "indicators-waiting",
    "money-back",
    "money-move",
    "pay-route",
    "settlement",
    "settlement-confirm",
    "print-run",
    "print-run-cancel",
    "letter-run",
    "letter-run-cancel",
    "agent-bank-settle",
    "agreement-end",
    "comparison",
    "comparison-back",
    "comparison-county",
    "comparison-explain",
    "comparison-household",
    "comparison-sign",
    "comparison-village",
    "bank-assessment",
    "bank-complaint-answer",
    "finding-answer",
    "findings",
    "rebook",
    "rebook-settle",
    "recovery",
    "recovery-act",
    "recovery-decide",
    "decide-back-month",
    "recovery-settle",
    "recovery-share-settle",
    "summary-sign",
    "relief-tie",
    "agency-end",
    "case-many",
    "case-many-job",
    "case-many-stop",
    "sample",
    "sample-check",
    "sample-entrust",
    "sample-freeze-month",
    "sample-number",
    "sample-order",
    "sample-order-new",
    "sample-skip",
    "doubt-change",
    "doubt-settle",
    "entrusted-act",
    "entrustment",
    "entrustment-address",
    "entrustment-new",
    "letter-act",
    "proof-letter",
    "proof-letter-new",
    "visit",
    "visit-act",
    "visit-new",
    "certificate",
    "calendar-confirm",
    "case",
    "case-act",
    "case-collective",
    "meeting",
    "meeting-act",
    "meeting-convene",
    "meeting-hold",
    "meeting-item",
    "meeting-item-act",
    "meeting-person-end",
    "meeting-phone",
    "campaign",
    "campaign-due",
    "campaign-close",
    "recheck",
    "recheck-act",
    "recheck-rule-settle",
    "work-offer",
    "work-offer-new",
    "work-cut",
    "work-cut-act",
    "appeal",
    "appeal-act",
    "appeal-new",
    "appeal-rule-settle",
    "proposal-adjust",
    "rectification",
    "rectification-revise",
    "rectification-act",
    "rectification-items",
    "rectification-item",
    "rectification-item-act",
    "rectification-add",
    "rectification-checks",
    "rectification-notices",
    "rectification-notice-act",
    "rectification-summary",
    "rectification-people",
    "rectification-cases",
    "rectification-case-new",
    "rectification-case",
    "rectification-case-act",
    "rectification-reports",
    "rectification-submit",
    "rectification-report",
    "rectification-receipt",
    "point",
    "point-new",
    "point-report",
    "letter",
    "signal",
    "kinship-relative",
    "archive-store",
    "archive-box",
    "archive-household",
    "archive-act",
    "archive-disposal",
    "stocktake",
    "course",
    "staffing-check",
    "change",
    "attachment",
    "import",
    "import-columns",
    "import-confirm",
    "import-withdraw",
    "policy-draft",
    "policy-draft-edit",
    "policy-draft-text",
    "policy-draft-act",
    "notice",
    "notice-sheet",
    "decide",
    "exception-close",
    "compile",
    "objection-file",
    "objection-answer",
    "objection-who",
    "correction",
    "authority",
    "card-issue",
    "screening-job",
    "screening-cancel",
    "relief",
    "relief-step",
    "petty-fund",
    "petty-confirm",
    "close",
    "manual-voucher",
    "roster-step",
    "rosters-many",
    "bank-setting",
    "batch-step",
    "batches-many",
    "application-act",
    "application-withdraw",
    "appointment",
    "simulation-new",
    "simulation",
    "simulation-household",
}
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
RUN_AXE = """async () => {
  const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"]});
  return found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(" | "));
}"""
OWN_WORDS = """() => {
  const main = document.querySelector("main").cloneNode(true);
  main.querySelectorAll(".quoted").forEach(part => part.remove());  // the text of policies stands as it was issued
  return main.textContent;
}"""
BARE_WORDS = re.compile("必填|格式错误|非法|不合法|操作失败|无效")


LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')


def routes_met(window: Window, seen: set[str], wanted: set[str]) -> Iterator[tuple[str, str]]:
    """(route, path) of one page of each route that links lead to and nobody has `seen`, opened in the window.

    A page another post has seen is fetched for its links alone: a browser takes ten times as long. Once all that is
    `wanted` was seen, only what the desk and the menu lead to is fetched.
    """
    waiting, met = [("/", 0)], NOT_A_PAGE | ONLY_POSTED_TO
    while waiting:
        path, depth = waiting.pop(0)
        route = resolve(urlsplit(path).path).view_name
        if route in met or "export=" in path or (depth > 1 and wanted <= seen):
            continue
        met.add(route)
        if route in seen and route != "desk":
            answer = window.page.request.get(window.url + path)
            assert answer.ok, f"{path}: {answer.status}"
            hrefs = [unescape(href) for href in LINK.findall(answer.text())]
        else:
            window.open(path)
            hrefs = window.page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
            yield route, path
        for href in hrefs:
            target = href if href.startswith("/") else urlsplit(path).path + href if href.startswith("?") else ""
            if target and not target.startswith("/static/"):
                waiting.append((target, depth + 1))


def faults_of(window: Window) -> list[str]:
    """What is wrong with the page that is open."""
    page = window.page
    found = [f"axe {each}" for each in (page.evaluate(AXE), page.evaluate(RUN_AXE))[1]]
    text = page.inner_text("body")
    found += [f"bare word {each}" for each in BARE_WORDS.findall(text)]
    found += [f"date {each}" for each in re.findall(r"\d{1,2}/\d{1,2}/\d{4}|\d+月\d+日", page.evaluate(OWN_WORDS))]
    if "演示数据，人物均为虚构" not in text:
        found.append("does not say that people are invented")
    if page.get_attribute("meta[name=renderer]", "content") != "webkit":
        found.append("renderer")
    if page.title().startswith("错误") and not page.locator("[data-problems], .refusal").count():
        found.append("says 错误 in its title where nothing is wrong")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    if (
        page.evaluate("document.activeElement.textContent") != "跳到正文"
        and not page.locator("[data-problems]").count()
    ):
        found.append("the first Tab is not 跳到正文")
    page.set_viewport_size({"width": 320, "height": 640})
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > 320:
        found.append(f"scrolls sideways at 320 px: {wide}")
    page.set_viewport_size({"width": 1366, "height": 768})
    return found


def test_every_page_is_accessible_narrow_and_its_own(site):
    """axe wcag22aa, 320 px, first Tab, no other hosts, no console errors, on one page of every route."""
    county: Site = site("closed")
    met: set[str] = {"sign-in"}
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    wanted = names - ONLY_POSTED_TO - NOT_A_PAGE - OF_A_MOMENT
    faults: dict[str, list[str]] = {}
    stranger = county.browse()
    stranger.open("/sign-in/")
    faults["/sign-in/"] = faults_of(stranger)
    for username in PEOPLE:
        window = county.sign_in(username)
        for route, path in routes_met(window, met, wanted):
            met.add(route)
            faults[f"{username} {path}"] = faults_of(window)
        assert window.errors == [] and window.elsewhere == []
    supervisor = county.sign_in("audit-supervisor")
    supervisor.open("/traces/")
    met.add("traces")
    faults["/traces/"] = faults_of(supervisor)
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    assert wanted - met == set()


@pytest.mark.parametrize(
    ("stage", "username", "paths"),
    [
        ("screened", "civil-approver", ["/proposals/?kind=enter", "/proposals/decide/?programme=dibao-rural"]),
        ("accrued", "meishan-clerk", ["/", "/rosters/compile/"]),
        (
            "published",
            "meishan-clerk",
            ["/notices/1/", "/notices/1/sheet/", "/notices/rows/1/objection/", "/notices/sheets/1/"],
        ),
        ("prepared", "finance-releaser", ["/", "/batches/", "/batches/2/release/", "/batches/many/release/?id=2&id=3"]),
    ],
)
def test_pages_of_a_moment_are_accessible_too(site, stage, username, paths):
    window = site(stage).sign_in(username)
    faults = {}
    for path in paths:
        window.open(path)
        faults[path] = faults_of(window)
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    assert window.errors == [] and window.elsewhere == []


def test_the_desk_is_light_and_quick(site):
    """Weight ≤ 100 KiB gzipped, server ≤ 0.8 s (spec/pages.md 4, 5)."""
    window = site("published").browse()
    sizes: dict[str, int] = {}
    window.page.on("response", lambda answer: sizes.update({answer.url: _weight(answer)}))
    page = window.open("/sign-in/")
    page.fill("#id_username", "meishan-clerk")
    page.fill("#id_password", demo_password())
    page.click("main button")
    page.goto(window.url + "/")
    assert sum(size for url, size in sizes.items() if "/static/" in url or url.endswith("/")) <= 100 * 1024
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    assert timing["responseStart"] - timing["requestStart"] <= 800


def _weight(answer: object) -> int:
    return int(answer.headers.get("content-length") or 0)  # type: ignore[attr-defined]

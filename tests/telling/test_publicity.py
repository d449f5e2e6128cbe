"""CASE-07, PUB-05: the village's fixed board shows who is paid, computed and never copied; renewed by its day; compared with every payment."""

from datetime import date, timedelta

import pytest

from huimin.cases.evidence import look_for
from huimin.cases.models import Case
from huimin.casework.models import Decision, Entitlement
from huimin.database.bulk import fetch
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.kernel.masking import mask_name
from huimin.notices.rules import set_notice_rule
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.payment.models import Roster, RosterLine
from huimin.payment.papers.publicity import publicity_pdf
from huimin.payment.publicity import check_publicity
from huimin.processes.language import Demand
from huimin.telling.lists import list_checks, list_of, lists_of, standings
from huimin.telling.models import PaidCheck, PublicSheet
from huimin.telling.publicity import NothingToPost, add_list_photo, post_list
from tests.papers.conftest import joined, texts
from tests.telling.test_letters import PROGRAMME
from tests.workbench.people import client_of
from tests.workbench.test_acts import text
from tests.workbench.test_reliefs import post_twice

ON = date(2021, 7, 5)
PNG = b"\x89PNG\r\n\x1a\n" + b"1" * 64


def held():
    return Entitlement.objects.using("maintenance").filter(programme=PROGRAMME).order_by("division", "id")


def test_a_village_s_list_is_what_is_in_force_posted_once_and_renewed_by_its_day_case_07(county):
    county("decided")
    by, first = county_officer(), held().first()
    village = first.division[:12]
    with reading(by):
        before = list_of(village, ON)
        assert {row.entitlement for row in before.rows} == set(
            held().filter(division__startswith=village).values_list("pk", flat=True)
        )
        assert all("*" in row.masked_name for row in before.rows) and list_of(village, date(2021, 6, 30)).rows == []
        assert sum(len(each.rows) for each in lists_of("341524", ON)) == held().count()
        [row] = standings(village, ON)
        told = (row.sheet, row.due_on, row.overdue(ON), row.overdue(date(2021, 7, 11)))
        assert told == (None, date(2021, 7, 10), False, True)
    informant = actor(Post.INFORMATION_OFFICER, village)
    with pytest.raises(AlreadyDone, match="名单刚刚有变化"):
        post_list(by=informant, on=ON, village=village, seen="0" * 64)
    other = next(row.division[:12] for row in held() if row.division[:12] != village)
    with pytest.raises(NotYourPlace):
        post_list(by=informant, on=ON, village=other, seen=before.digest)
    with pytest.raises(NotYourPost):
        post_list(by=actor(Post.SETTLEMENT, village[:9] + "000"), on=ON, village=village, seen=before.digest)
    sheet = post_list(by=informant, on=ON, village=village, seen=before.digest)
    assert post_list(by=informant, on=ON + timedelta(1), village=village, seen=before.digest).pk == sheet.pk
    assert (sheet.rows_count, sheet.amount_fen, sheet.month) == (len(before.rows), before.amount_fen, date(2021, 7, 1))
    photo = {"taken_on": ON, "spot": "村委会固定公示栏", "photographer": "信息员"}
    with pytest.raises(BadInput):
        add_list_photo(by=informant, on=ON, sheet_id=sheet.pk, content=b"GIF89a", **photo)
    assert add_list_photo(by=informant, on=ON, sheet_id=sheet.pk, content=PNG, **photo).photo_on == ON
    with reading(by):
        assert (
            standings(village, date(2021, 9, 1))[0].due_on is None
        )  # an unchanged list does not fall due with the calendar
    said = joined("".join(texts(publicity_pdf(by=informant, on=ON, village=village, site="https://huimin.example"))))
    assert before.digest in said and f"https://huimin.example/publicity/{village}/" in said
    names = [name for (name,) in fetch(
        "SELECT p.name FROM registry_membership m JOIN registry_person p ON p.id = m.person_id WHERE m.household_id = %s",
        [first.household_id], using="maintenance",
    )]  # fmt: skip
    assert not any(name in said for name in names if name != mask_name(name)) and "341599" not in said
    stopped(by, informant, village)
    evidence(by, first)


def stopped(by, informant, village):
    """All stop in August: the list changes with the month, is due by the county's day, and an empty one is posted as empty."""
    held().filter(division__startswith=village).update(valid_to=date(2021, 8, 1))
    august = date(2021, 8, 16)
    set_notice_rule(
        by=by,
        on=ON,
        programmes=[PROGRAMME],
        hotline="0564-12345",
        due_day=15,
        photo_needed=False,
        basis="县民政局2021年7号",
    )
    with reading(by):
        [row] = standings(village, august)
        nothing = list_of(village, august)
        assert row.count == 0 and nothing.rows == [] and row.due_on == date(2021, 8, 15) and row.overdue(august)
    with pytest.raises(BadInput, match="没有要长期公示的对象"):
        publicity_pdf(by=informant, on=august, village=village)
    empty = post_list(by=informant, on=august, village=village, seen=nothing.digest)
    assert empty.rows_count == 0 and empty.hotline == "0564-12345"
    nobody = fetch(
        "SELECT code FROM divisions_division d WHERE level = 12 AND left(code, 6) = '341524' AND NOT EXISTS (SELECT 1 FROM"
        " casework_entitlement e WHERE left(e.division, 12) = d.code AND e.programme = 'dibao-rural') ORDER BY 1 LIMIT 1",
        using="maintenance",
    )[0][0]  # fmt: skip
    with reading(by):
        seen = list_of(nobody, august).digest
    with pytest.raises(NothingToPost):
        post_list(by=actor(Post.CLERK, nobody[:9] + "000"), on=august, village=nobody, seen=seen)


def evidence(by, first):
    """长期公示 as a step's evidence: from the entitlement on, a list was posted."""
    case = Case(pk=777, programme=PROGRAMME, division=first.division, household_id=first.household_id)

    def told(on):
        with reading(by):
            return look_for(case, None, Demand("长期公示"), on)  # type: ignore[arg-type]

    assert "还没有批准" in told(ON).missing
    Decision.objects.using("maintenance").filter(pk=first.decision_id).update(case_number=777)
    assert told(date(2021, 6, 30)).missing.startswith("待遇从 2021-07-01 起")
    assert told(date(2021, 8, 16)).references[0].name.startswith("telling_publicsheet:")
    PublicSheet.objects.using("maintenance").update(posted_on=date(2021, 6, 1))
    assert "还没有换成" in told(date(2021, 8, 16)).missing


def test_after_every_payment_the_list_is_compared_with_what_was_paid_case_07(county):
    county("answered")
    by = county_officer()
    with reading(by):
        checks = list_checks("341524")
    assert checks and {row.programme for row in checks} == {PROGRAMME} and sum(row.differing for row in checks) == 0
    lines = RosterLine.objects.using("maintenance").filter(programme=PROGRAMME)
    newest = {row.subject: row for row in reversed(checks)}
    assert sum(row.paid for row in newest.values()) == lines.filter(state="paid").count()
    one = PaidCheck.objects.using("maintenance").order_by("-id")[0]
    # Somebody ends an entitlement behind the back of the books: the next check finds what was paid and not listed.
    roster = Roster.objects.using("maintenance").get(pk=int(one.subject.split(":")[1]))
    line = lines.filter(roster=roster, state="paid").select_related("household")[0]
    held().filter(pk=line.entitlement_id).update(valid_to=date(2021, 7, 1))
    with reading(by):
        again = check_publicity(by, ON, roster)
        assert again.differing == 1 and again.examples == [[line.household.household_no, "已发放，本期不在长期公示"]]
    held().filter(pk=line.entitlement_id).update(valid_to=None)
    pages(line)


def pages(line):
    """The boards on the desk: the village's own, the township's, the county's; posted with a photo; the paper compared; the rule."""
    village = line.division[:12]
    informant = client_of(Post.INFORMATION_OFFICER, village)
    assert "更换长期公示" in text(informant.get("/"))
    shown = text(informant.get(f"/publicity/{village}/"))
    assert "已张贴" in shown and "县里还没有设监督电话" in shown
    seen = shown.split('name="seen" value="')[1][:64]
    shown = post_twice(informant, f"/publicity/{village}/", {"act": "post", "seen": seen})
    assert "已登记张贴" in shown and "没有照片" in shown and "更换长期公示" not in text(informant.get("/"))
    assert "就是现在发的" in text(informant.get(f"/publicity/{village}/?paper={seen}"))
    assert "是旧的" in text(informant.get(f"/publicity/{village}/?paper={'0' * 64}"))
    assert informant.get(f"/publicity/{village}/pdf/").content.startswith(b"%PDF")
    assert informant.get("/publicity/341524000000/").status_code in (403, 404, 409)
    bad = informant.post(f"/publicity/{village}/", {"token": "0" * 32})
    assert bad.status_code == 422 and "请选择照片" in text(bad)
    head = client_of(Post.TOWNSHIP_HEAD, village[:9] + "000")
    assert "督促更换长期公示" in text(head.get("/")) or "超期的<strong>0" in text(head.get("/publicity/"))
    officer = client_of(Post.COUNTY_OFFICER, "leading_office")
    assert "与发放核对" in text(officer.get("/publicity/")) and "一致" in text(officer.get("/publicity/checks/"))
    saved = {
        "programmes": [PROGRAMME],
        "hotline": "0564-7356000",
        "due_day": "8",
        "photo_needed": "yes",
        "basis": "县民政局2021年7号",
    }
    assert "0564-7356000" in post_twice(officer, "/publicity/rule/", saved)
    wrong = officer.post("/publicity/rule/", {**saved, "hotline": "打给我", "token": "1" * 32})
    assert wrong.status_code == 422 and "监督电话没有写对" in text(wrong)

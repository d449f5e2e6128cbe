"""Rosters and notices on paper, and rosters as workbooks: whole, masked, signed by name, safe to open (PAY-01, PAY-02)."""

import io
import re
from collections.abc import Callable

import openpyxl
import pytest

from huimin.audit.models import Event
from huimin.database.bulk import fetch, run
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.kernel.masking import mask_name
from huimin.kernel.money import in_words, yuan
from huimin.notices.models import Notice
from huimin.organisation.acting import Actor, NotYourPost, NotYourProgramme, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands.roster_digest import RosterChanged
from huimin.payment.commands.states import WrongState
from huimin.payment.counting import sums_of_roster
from huimin.payment.models import Roster, RosterLine
from huimin.payment.papers import notice_pdf, roster_pdf, roster_xlsx
from huimin.payment.papers.listing import TooLong
from huimin.payment.papers.sheets import NoSuchNotice, NoticeChanged
from huimin.payment.papers.workbook import plain_text
from tests.papers.conftest import joined, texts

County = Callable[[str], str]
LONG = "买买提艾力·阿卜杜热合曼" * 5


def longest(by: Actor, **where: str) -> Roster:
    with reading(by):
        return Roster.objects.filter(**where).order_by("-lines_count", "pk")[0]


def test_every_page_has_the_header_row_and_its_number(officer: Actor) -> None:
    """PAY-01 (page 44): header row, page x of y, unit and date on each page; no column is cut."""
    pages = texts(roster_pdf(by=officer, roster_id=longest(officer).pk))
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        said = joined(page)
        assert f"第{number}页共{len(pages)}页" in said and "单位：元" in said and "打印日期：2021年9月23日" in said
        if number < len(pages):
            assert "序号户号姓名证件号码人口核定数量金额（元）账户尾号办理情况" in said


def test_a_village_of_a_roster_is_printed_by_itself_and_a_roster_nobody_binds_is_refused(
    officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-01: its own lines and sum, beside what the whole comes to."""
    roster = longest(officer)
    with reading(officer):
        lines = list(RosterLine.objects.filter(roster=roster).order_by("line_no"))
    village = lines[0].division[:12]
    own = [line for line in lines if line.division.startswith(village)]
    said = joined("".join(texts(roster_pdf(by=officer, roster_id=roster.pk, village=village))))
    assert f"本村{len(own)}笔，¥{yuan(sum(line.amount_fen for line in own))}" in said and f"全册{len(lines)}笔" in said
    monkeypatch.setattr("huimin.payment.papers.listing.LINES_MAX", len(lines) - 1)
    for wrong in ("", "341524999999"):
        with pytest.raises(TooLong):
            roster_pdf(by=officer, roster_id=roster.pk, village=wrong)


def test_the_roster_says_every_line_every_sum_and_who_signed(officer: Actor) -> None:
    """PAY-01, PAY-02: lines, subtotals of villages, total in figures and words, digest, five seats with their holders."""
    roster = longest(officer)
    said = joined("".join(texts(roster_pdf(by=officer, roster_id=roster.pk))))
    with reading(officer):
        lines = list(RosterLine.objects.filter(roster=roster).select_related("household", "card"))
        villages = fetch(
            "SELECT d.name, count(*), sum(l.amount_fen)::bigint FROM payment_rosterline l JOIN divisions_division d"
            " ON d.code = left(l.division, 12) WHERE l.roster_id = %s AND l.state NOT IN ('withheld', 'replaced') GROUP BY 1",
            [roster.pk],
        )
        paid = sums_of_roster(roster.pk)
    for line in lines:
        assert line.household.household_no + line.name + "341599********" in said
        assert yuan(line.amount_fen) + line.card.account_tail in said
    for name, count, amount in villages:
        assert name in said and re.search(rf"{name}[^计]*小计{count}笔(，不计[^0-9]*[0-9]+笔)?{yuan(amount)}", said)
    assert f"总计{roster.lines_count}笔，¥{yuan(roster.amount_fen)}" in said
    assert f"{paid.lines}笔，¥{yuan(paid.amount_fen)}（{in_words(paid.amount_fen)}）" in said
    assert roster.digest in said and said.count("（签字、盖章）") == 5
    for post, where in ((Post.CLERK, roster.division), (Post.REVIEWER, roster.division),
                        (Post.TOWNSHIP_HEAD, roster.division), (Post.FINANCE_OFFICER, OfficeKind.FINANCE)):  # fmt: skip
        assert actor(post, where).name in said


def test_withheld_lines_stay_and_are_taken_off_the_payable_sum(officer: Actor) -> None:
    """PAY-02: the list is what was compiled; what is paid is said apart, on paper and in the workbook."""
    with reading(officer):
        line = RosterLine.objects.filter(state=RosterLine.State.WITHHELD).select_related("roster")[0]
    rest = line.roster.amount_fen - line.amount_fen
    said = joined("".join(texts(roster_pdf(by=officer, roster_id=line.roster_id))))
    assert "缓发：公示异议成立" in said and f"¥{yuan(rest)}（{in_words(rest)}）" in said
    assert in_words(line.roster.amount_fen) not in said  # what is not paid is in no total in words
    sheet = openpyxl.load_workbook(io.BytesIO(roster_xlsx(by=officer, roster_id=line.roster_id))).active
    sums = {
        row[0].value: row[8].value for row in sheet.iter_rows() if row[8].value and str(row[0].value)[0] in "总其应"
    }
    assert sums[f"应付 {line.roster.lines_count - 1} 笔"] == rest / 100


def test_seats_are_empty_until_somebody_signed(county: County) -> None:
    """PAY-01: a roster just compiled names its maker only."""
    county("compiled")
    by = county_officer()
    roster = longest(by)
    said = joined("".join(texts(roster_pdf(by=by, roster_id=roster.pk))))
    assert actor(Post.CLERK, roster.division).name in said and "已编制" in said
    assert actor(Post.TOWNSHIP_HEAD, roster.division).name not in said


def test_long_and_rare_names_wrap_and_formulas_do_not_run(county: County) -> None:
    """PAY-01 (pages 39, 44, 46): sixty characters, four-byte Han, a name a spreadsheet would run."""
    county("compiled")
    by = county_officer()
    roster = longest(by)
    names = (LONG, "𬱖㛃䶮𠮷", "=HYPERLINK(1)", "ABDULREHIMABDULLAHMEMETIMIN")
    for number, name in enumerate(names, 1):
        run(
            "UPDATE payment_rosterline SET name = %s WHERE roster_id = %s AND line_no = %s",
            [name, roster.pk, number],
            using="maintenance",
        )
    said = joined("".join(texts(roster_pdf(by=by, roster_id=roster.pk))))
    assert all(name in said for name in names)
    sheet = openpyxl.load_workbook(io.BytesIO(roster_xlsx(by=by, roster_id=roster.pk))).active
    written = [sheet.cell(row, 5) for row in range(4, 8)]
    assert [cell.value for cell in written] == [names[0], names[1], "'" + names[2], names[3]]
    assert all(cell.data_type == "s" for cell in written)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@a", "\t=1"])
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    """Page 39."""
    assert plain_text(text) == "'" + text and plain_text("张三") == "张三"


def test_the_workbook_has_numbers_as_numbers_and_the_sum_of_the_screen(officer: Actor) -> None:
    """PAY-01 (pages 39, 40): ids as text with every digit, two decimals, frozen header, sums equal to the roster's."""
    roster = longest(officer)
    book = openpyxl.load_workbook(io.BytesIO(roster_xlsx(by=officer, roster_id=roster.pk)))
    sheet = book.active
    assert sheet.freeze_panes == "A4" and sheet.print_title_rows == "$3:$3"
    lines = [row for row in sheet.iter_rows(min_row=4) if isinstance(row[0].value, int)]
    assert len(lines) == roster.lines_count
    assert all(row[8].data_type == "n" and row[8].number_format == "#,##0.00" for row in lines)
    assert all(row[cell].data_type == "s" for row in lines for cell in (3, 5, 9))
    assert sum(round(row[8].value * 100) for row in lines) == roster.amount_fen
    total = sheet.cell(4 + len(lines), 9)
    assert round(total.value * 100) == roster.amount_fen
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def test_rosters_are_refused_for_post_place_programme_and_change(county: County) -> None:
    """SEC-02, SEC-03, SEC-07: nobody prints what is not his, nor what was altered."""
    county("compiled")
    by = county_officer()
    roster = longest(by, programme="grain-one-off")
    with reading(by):
        other = Roster.objects.exclude(division=roster.division)[0]
    for take in (roster_pdf, roster_xlsx):
        for post, where in ((Post.BANK_OPERATOR, OfficeKind.BANK), (Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)):
            with pytest.raises(NotYourPost):
                take(by=actor(post, where), roster_id=roster.pk)
        with pytest.raises(NotYourProgramme):
            take(by=actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS), roster_id=roster.pk)
        with pytest.raises(WrongState, match="没有这份清册"):
            take(by=actor(Post.CLERK, roster.division), roster_id=other.pk)
    run(
        "UPDATE payment_rosterline SET amount_fen = amount_fen + 1 WHERE roster_id = %s AND line_no = 1",
        [roster.pk],
        using="maintenance",
    )
    with pytest.raises(RosterChanged):
        roster_pdf(by=by, roster_id=roster.pk)


def test_taking_a_roster_is_remembered_and_repeats_to_the_byte(officer: Actor) -> None:
    """SEC-05: who took it; the same paper each time."""
    roster = longest(officer)
    assert roster_pdf(by=officer, roster_id=roster.pk) == roster_pdf(by=officer, roster_id=roster.pk)
    with reading(officer):
        event = Event.objects.filter(kind=Event.Kind.EXPORTED, subject=f"roster:{roster.pk}").latest("id")
    assert event.account == officer.account and event.detail == {"rows": roster.lines_count}


def test_a_notice_shows_masked_rows_its_period_digest_and_address(officer: Actor) -> None:
    """CASE-06, PAY-02: masked names only, the period, the place, the office to object to, digest, address, hotline."""
    with reading(officer):
        notice = Notice.objects.order_by("-rows_count", "pk")[0]
        rows = list(notice.rows.order_by("row_no"))
        names = [name for (name,) in fetch(
            "SELECT l.name FROM payment_rosterline l JOIN notices_noticerow w ON w.subject_line = l.id"
            " WHERE w.notice_id = %s", [notice.pk]
        )]  # fmt: skip
    said = joined("".join(texts(notice_pdf(by=officer, notice_id=notice.pk, site="https://huimin.example/"))))
    assert all(row.masked_name in said and yuan(row.amount_fen) in said for row in rows)
    assert not any(name in said for name in names if name != mask_name(name))
    assert "2021年9月1日张榜起，至2021年9月8日止" in said and notice.digest in said and "为民服务中心提出" in said
    assert (
        f"https://huimin.example/notices/{notice.pk}" in said
        and "341599" not in said
        and "本县还没有公布监督电话" in said
    )


def test_notices_are_refused_for_post_place_and_change(county: County) -> None:
    """SEC-02, SEC-03, SEC-07: a village prints its own wall; an altered row is not printed."""
    county("published")
    by = county_officer()
    with reading(by):
        notice = Notice.objects.order_by("pk")[0]
        other = Notice.objects.exclude(division=notice.division).order_by("pk")[0]
    informant = actor(Post.INFORMATION_OFFICER, notice.division)
    assert notice_pdf(by=informant, notice_id=notice.pk).startswith(b"%PDF")
    with pytest.raises(NoSuchNotice):
        notice_pdf(by=informant, notice_id=other.pk)
    with pytest.raises(NotYourPost):
        notice_pdf(by=actor(Post.BANK_OPERATOR, OfficeKind.BANK), notice_id=notice.pk)
    run("ALTER TABLE notices_noticerow DISABLE TRIGGER USER", using="owner")
    run(
        "UPDATE notices_noticerow SET amount_fen = amount_fen + 1 WHERE notice_id = %s AND row_no = 1",
        [notice.pk],
        using="maintenance",
    )
    with pytest.raises(NoticeChanged):
        notice_pdf(by=by, notice_id=notice.pk)

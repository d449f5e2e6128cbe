"""Rare characters go from a township's table to the bank and back, exactly: 㐂 𠮷 䶮, beyond GBK and beyond the basic plane (issue 4, point 7; REG-03, PAY-04)."""

import io

import openpyxl
import pypdf
import pytest
import typst

from huimin.database.bulk import fetch
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands.rosters import compile_roster
from huimin.payment.papers.typesetting import FONTS
from huimin.registry.commands.families import checked_name
from huimin.registry.models import Person
from tests.importing.files import MEMBERS_HEAD, bring, member, numbers, xlsx
from tests.importing.test_old_workbooks import xls
from tests.registry.people import officer
from tests.workbench.people import client_of

RARE = "㐂𠮷䶮㛃𬱖"
COUNTY = (Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
_PAYEE = """
SELECT m.person_id, left(d.division, 9) || '000', d.programme FROM payment_due d
JOIN casework_entitlement e ON e.id = d.entitlement_id AND e.person_id IS NULL
JOIN registry_membership m ON m.household_id = e.household_id AND m.relation = '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL
JOIN registry_card c ON c.household_id = e.household_id AND c.use = 'household' AND c.state = 'active' AND c.recorded_to IS NULL
WHERE d.state = 'owed' ORDER BY d.division, m.person_id LIMIT 1
"""


@pytest.mark.parametrize(
    "made", [xlsx, xls, lambda rows: io.BytesIO("\n".join(",".join(map(str, r)) for r in rows).encode("gb18030"))]
)
def test_a_table_brings_them_in_exactly_and_pages_find_them(county, made):
    county("organised")
    one, two = numbers(2)
    name = {xlsx: "表.xlsx", xls: "表.xls"}.get(made, "表.csv")
    rows = [
        MEMBERS_HEAD,
        member(1, "张㐂", one, "户主", "小学", 0, "否"),
        member(1, "𠮷䶮", two, "配偶", "小学", 0, "否"),
    ]
    outcome = bring(made(rows), name=name)
    assert outcome.faults == [] and outcome.counts["new"] == 2
    with reading(officer()):
        assert set(Person.objects.values_list("name", flat=True)) == {"张㐂", "𠮷䶮"}
    desk = client_of(*COUNTY)
    assert (
        "张㐂" in desk.get("/search/?q=张㐂").content.decode() and "张㐂" in desk.get("/search/?q=𠮷").content.decode()
    )
    assert "𠮷䶮" in desk.get("/lists/?kind=members").content.decode()


def test_on_the_roster_its_paper_and_its_workbook_exactly(county):
    """A payee of such a name: page, PDF to sign, workbook; the bank's line file is written in GB18030 (tests/kernel/test_bankfile)."""
    county("accrued")
    with reading(officer()):
        [(person, township, programme)] = fetch(_PAYEE)
    name = f"欧阳{RARE}"
    Person.objects.using("maintenance").filter(pk=person).update(name=name)
    clerk = actor(Post.CLERK, township)
    roster = compile_roster(by=clerk, on=dates.COMPILED, programme=programme, division=township, period=dates.QUARTER)
    desk = client_of(*COUNTY)
    assert name in desk.get(f"/rosters/{roster.pk}/").content.decode()
    paper = pypdf.PdfReader(io.BytesIO(desk.get(f"/rosters/{roster.pk}/pdf/").content))
    assert name in "".join("".join(page.extract_text().split()) for page in paper.pages)
    taken = desk.get(f"/rosters/{roster.pk}/?export=xlsx&purpose=核对姓名")
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(taken.streaming_content))).active
    assert name in [cell.value for row in sheet.iter_rows() for cell in row]
    with reading(clerk):
        assert roster.lines.get(payee_id=person).name.encode("gb18030").decode("gb18030") == name


def test_every_font_of_the_papers_has_them():
    """No box on paper: each rare character is drawn otherwise than one that no font has."""

    def drawn(char, fonts):
        families = "(" + ", ".join(f'"{each}"' for each in fonts) + ",)"
        text = f"#set page(width: 40pt, height: 40pt, margin: 4pt)\n#set text(font: {families}, size: 24pt)\n{char}"
        return typst.compile(text.encode(), format="png", ppi=72)

    for fonts in FONTS.values():
        nothing = drawn("\U000e0fff", fonts)
        pictures = {char: drawn(char, fonts) for char in RARE}
        assert nothing not in pictures.values() and len(set(pictures.values())) == len(RARE)


BAD = [("张😀", "不该出现"), ("张\ue001", "自造字"), ("张?", "丢失"), ("张□", "丢失")]


@pytest.mark.parametrize(("name", "words"), [*BAD, ("李\x07", "不可见")])
def test_what_no_paper_can_bear_is_refused_in_a_form(name, words):
    """Emoji, private characters, lost and invisible ones."""
    with pytest.raises(BadInput, match=words):
        checked_name(name)


def test_what_no_paper_can_bear_is_refused_in_a_table(county):
    county("organised")
    rows = [
        member(at, name, number, "户主", "小学", 0, "否")
        for at, ((name, _), number) in enumerate(zip(BAD, numbers(4), strict=True))
    ]
    outcome = bring(xlsx([MEMBERS_HEAD, *rows]), rehearse=True)
    assert outcome.counts["wrong"] == len(BAD)
    assert all(words in fault.what for fault, (_, words) in zip(outcome.faults, BAD, strict=True))

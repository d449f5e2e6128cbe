"""The typesetter: GB/T 9704 measures, any font, rare characters, data that stays data (PAY-07)."""

import io

import pytest
from pypdf import PdfReader

from huimin.demo import dates
from huimin.payment.papers import typesetting
from huimin.payment.papers.typesetting import FONTS, NoFonts, PaperTooLong, set_text, source, typeset
from tests.papers.conftest import joined, texts

ON = dates.CLOSED
NOTHING = {"title": "字", "issuer": "处", "on": ON.isoformat(), "demo": ""}


def _set(text: str, fonts: dict[str, list[str]] | None = None) -> PdfReader:
    made = set_text(source("common") + "\n#d.text", {**NOTHING, "text": text}, fonts or FONTS, ON)
    return PdfReader(io.BytesIO(made))


def _card(**other: object) -> dict[str, object]:
    card = {
        "head": "张三", "identity": "341599********1284", "number": "341524100201-0001", "people": "3", "place": "村",
        "rows": [["低保", "全户", "2021年7—9月", "¥490.00/月", "1,470.00", "已发放"]], "total": "1,470.00",
        "words": "人民币壹仟肆佰柒拾元整", "paid": "", "ask": "向镇提出。", "code": "7f3a",
    }  # fmt: skip
    return {"title": "明白卡", "issuer": "镇", "period": "期", "date": "日", "cards": [card | other]}


@pytest.mark.parametrize("family", [None, "Noto Serif CJK SC", "Noto Sans CJK SC"])
def test_a_page_holds_22_lines_of_28_characters_in_any_font(family: str | None) -> None:
    """GB/T 9704-2012 and its fallback (pages 43, 45): two characters of indent, then 22 × 28, and not one more."""
    fonts = {role: [family] for role in FONTS} if family else None
    full = "惠" * (22 * 28 - 2)
    assert len(_set(full, fonts).pages) == 1
    assert len(_set(full + "民", fonts).pages) == 2


def test_margins_and_pitch_are_those_of_the_standard() -> None:
    """GB/T 9704-2012 (page 43): A4, left 28 mm, first line's top at 37 mm, a line every 225/22 mm, each ±1 mm."""
    page = _set("惠" * 90).pages[0]
    millimetre = 72 / 25.4
    places: list[tuple[float, float]] = []
    page.extract_text(
        visitor_text=lambda text, cm, tm, font, size: places.append((cm[4], cm[5])) if text.strip() else None
    )
    assert [round(float(side) / millimetre) for side in page.mediabox[2:]] == [210, 297]
    lines = sorted({round(y, 1) for _, y in places}, reverse=True)
    assert (lines[0] - lines[1]) / millimetre == pytest.approx(225 / 22, abs=0.05)
    assert min(x for x, _ in places) / millimetre == pytest.approx(28, abs=1)
    assert 297 - lines[0] / millimetre == pytest.approx(37 + 0.88 * 16 / millimetre, abs=1)


def test_papers_are_pdf_a_2b_and_the_same_bytes_again() -> None:
    """PAY-07: what is filed for years is PDF/A-2b; printing again gives the same file."""
    first, second = (typeset("statement", _card(), on=ON) for _ in range(2))
    assert first == second
    metadata = PdfReader(io.BytesIO(first)).metadata
    assert metadata is not None and metadata.title == "明白卡"
    assert b"<pdfaid:part>2</pdfaid:part>" in first and b"<pdfaid:conformance>B</pdfaid:conformance>" in first


@pytest.mark.parametrize("name", ["张𬱖", "㛃𫖯", "䶮", "𠮷", "阿卜杜拉·买买提"])
def test_rare_characters_are_printed(name: str) -> None:
    """GB 18030-2022 (page 46): the extensions' characters stand on paper and can be copied from it."""
    assert name in joined(texts(typeset("statement", _card(head=name), on=ON))[0])


def test_a_character_no_font_has_is_printed_as_its_code() -> None:
    """PDF/A allows no missing glyph, and a name is never cut: the code stands for the character."""
    assert "张〔U+2EBF0〕三" in joined(texts(typeset("statement", _card(head="张\U0002ebf0三"), on=ON))[0])


@pytest.mark.parametrize("name", ["#panic(1)", "$x$ *粗* _斜_", "[甲] ]乙", '"#read("/etc/passwd")', "\\n @a <b> //丙"])
def test_text_of_people_is_never_markup(name: str) -> None:
    """PAY-07: what a person is called is printed as it is written."""
    assert joined(name) in joined(texts(typeset("statement", _card(head=name), on=ON))[0])


def test_without_chinese_fonts_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "FONTS", {**FONTS, "body": ["没有这种字体"]})
    with pytest.raises(NoFonts, match="缺少中文字体"):
        typeset("statement", _card(), on=ON)


def test_a_paper_nobody_can_wait_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "SECONDS_MAX", 0.001)
    with pytest.raises(PaperTooLong, match="分村打印"):
        typeset("statement", _card(), on=ON)


def test_setting_many_pages_leaves_no_memory_behind() -> None:
    """House 5: a village after another in one process of the site; typst's memory stays with its own process."""
    before = _resident_mb()
    content = _card()
    for village in range(3):
        content["cards"] = [dict(content["cards"][0], code=f"{village}-{number}") for number in range(400)]
        typeset("statement", content, on=ON)
    assert _resident_mb() - before < 100


def _resident_mb() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4 // 1024

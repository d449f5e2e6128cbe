"""Set a paper with typst: a template of ours and data that stay data (PAY-07).

in    the name of a template in `templates/`, its content as plain texts, lists and dictionaries
out   a PDF/A-2b as bytes; the same content gives the same bytes

Fonts are the system's: 仿宋 and 小标宋 where the office has them, else Noto Serif CJK (Debian: fonts-noto-cjk). Line and
page breaks do not depend on which: heights are set in the template, Han characters are as wide as they are high.
PDF/A forbids a missing glyph, so a character that no font has is printed as its code, `〔U+2EBF0〕`.
"""

import json
import re
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from huimin.kernel.errors import Refusal

STANDARD = "a-2b"
TEMPLATES = Path(__file__).parent / "templates"
DEMO_MARK = "演示数据，人物均为虚构"

# By role: what the office may have installed, best first; the last is Debian's.
_FONTS = {
    "body": ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "FZFangSong-Z02", "Noto Serif CJK SC"),
    "title": ("FZXiaoBiaoSong-B05S", "方正小标宋简体", "FZXiaoBiaoSong-B05", "Noto Serif CJK SC"),
    "head": ("SimHei", "黑体", "Noto Sans CJK SC"),
}
_USUAL = re.compile(r"[ -~\u4e00-\u9fa5·—…“”‘’、。〈〉《》「」【】〔〕！（），：；？¥×−]+")


class NoFonts(Refusal):
    """This machine cannot print Chinese."""


@cache
def _system_fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)


@cache
def font_lists() -> dict[str, list[str]]:
    """By role, the family to use and those to fall back on; NoFonts when there is none."""
    there = {name.lower() for name in _system_fonts().families()}
    lists = {role: [name for name in names if name.lower() in there] for role, names in _FONTS.items()}
    if not all(lists.values()):
        raise NoFonts("这台服务器缺少中文字体", remedy="请由管理员安装 fonts-noto-cjk 后再打印")
    return {role: list(dict.fromkeys([*names, *lists["head"]])) for role, names in lists.items()}


def typeset(template: str, content: dict[str, Any], *, on: date) -> bytes:
    """The paper `template` with `content`; `on` is the business date it bears. NoFonts where Chinese cannot be set."""
    shown = _printable({**content, "on": on.isoformat(), "demo": DEMO_MARK if settings.DEMO else ""})
    source = _source("common") + _source(template)
    return _compile(source, {"fonts": font_lists(), **shown}, on)


@cache
def _source(name: str) -> str:
    return (TEMPLATES / f"{name}.typ").read_text(encoding="utf-8")


def _compile(source: str, data: dict[str, Any], on: date) -> bytes:
    """typst over one text that holds no data; the data comes as a JSON string."""
    made = typst.compile(
        source.encode(),
        format="pdf",
        font_paths=_system_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=STANDARD,
        timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
    )
    assert isinstance(made, bytes)
    return made


def _printable(content: dict[str, Any]) -> dict[str, Any]:
    """The same content with the code in the place of every character that no font has."""
    missing = {char for char in _unusual(content) if not _has_glyph(char)}
    if not missing:
        return content
    instead = {ord(char): f"〔U+{ord(char):04X}〕" for char in missing}
    changed = _each_text(content, lambda text: text.translate(instead))
    assert isinstance(changed, dict)
    return changed


def _each_text(content: Any, change: Any) -> Any:
    if isinstance(content, str):
        return change(content)
    if isinstance(content, dict):
        return {key: _each_text(value, change) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_each_text(value, change) for value in content]
    return content


def _unusual(content: dict[str, Any]) -> set[str]:
    """Characters outside what every Chinese font has."""
    found: set[str] = set()

    def look(text: str) -> str:
        found.update(_USUAL.sub("", text))
        return text

    _each_text(content, look)
    return found


@cache
def _has_glyph(char: str) -> bool:
    """Whether typst can set it under PDF/A, tried once a process."""
    try:
        _compile(_source("common") + "\n#d.char", {"fonts": font_lists(), "char": char, **_NOTHING}, date(2000, 1, 1))
    except typst.TypstError:
        return False
    return True


_NOTHING = {"title": "字", "issuer": "", "on": "2000-01-01", "demo": ""}

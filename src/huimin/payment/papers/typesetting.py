"""Set a paper with typst: a template of ours and data that stay data (PAY-07).

in    the name of a template in `templates/`, its content as plain texts, lists and dictionaries
out   a PDF/A-2b as bytes; the same content gives the same bytes

Fonts are the system's: 仿宋 and 小标宋 where the office has them, else Noto Serif CJK (Debian: fonts-noto-cjk). Line and
page breaks do not depend on which: heights are set in the template, Han characters are as wide as they are high.
The work is done by a process of its own (setter.py), whose memory ends with the paper.
"""

import json
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from huimin.kernel.errors import Refusal
from huimin.payment.papers.setter import NO_FONTS

TEMPLATES = Path(__file__).parent / "templates"
SETTER = Path(__file__).with_name("setter.py")
SECONDS_MAX = 300.0
DEMO_MARK = "演示数据，人物均为虚构"

# By role: what the office may have installed, best first; the last is Debian's.
FONTS = {
    "body": ["FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "FZFangSong-Z02", "Noto Serif CJK SC"],
    "title": ["FZXiaoBiaoSong-B05S", "方正小标宋简体", "FZXiaoBiaoSong-B05", "Noto Serif CJK SC"],
    "head": ["SimHei", "黑体", "Noto Sans CJK SC"],
}


class NoFonts(Refusal):
    """This machine cannot print Chinese."""


class PaperTooLong(Refusal):
    """The paper takes longer than anybody waits."""


def typeset(template: str, content: dict[str, Any], *, on: date, mark: str = "") -> bytes:
    """The paper `template` with `content`; `on` is the business date it bears, `mark` who took it, when and why. NoFonts, PaperTooLong."""
    data = {**content, "on": on.isoformat(), "demo": DEMO_MARK if settings.DEMO else "", "mark": mark}
    return set_text(source("common") + source(template), data, FONTS, on)


@cache
def source(name: str) -> str:
    """The typst text of a template."""
    return (TEMPLATES / f"{name}.typ").read_text(encoding="utf-8")


def set_text(text: str, data: dict[str, Any], fonts: dict[str, list[str]], on: date) -> bytes:
    """The PDF of a typst text over `data`, in the first of `fonts` that are installed."""
    order = json.dumps({"source": text, "data": data, "fonts": fonts, "on": on.isoformat()})
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(SETTER)], input=order.encode(), capture_output=True, timeout=SECONDS_MAX
        )
    except subprocess.TimeoutExpired as error:
        raise PaperTooLong("这份材料太长，没有打印完", remedy="请分村打印，或导出为工作簿") from error
    if done.returncode == NO_FONTS:
        raise NoFonts("这台服务器缺少中文字体", remedy="请由管理员安装 fonts-noto-cjk 后再打印")
    if done.returncode:
        raise RuntimeError(f"typst: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout

"""Set a paper with typst: a template of ours and data that stay data (PAY-07).

in    the name of a template in `templates/`, its content as plain texts, lists and dictionaries
out   a PDF/A-2b as bytes; the same content gives the same bytes

Fonts are the system's: 仿宋 and 小标宋 where the office has them, else Noto Serif CJK (Debian: fonts-noto-cjk). Line and
page breaks do not depend on which: heights are set in the template, Han characters are as wide as they are high.
The work is done by a process of its own (setter.py), whose memory ends with the paper; who sets many papers keeps one (Typesetter).
"""

import json
import subprocess
import sys
import threading
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
GROWN_MB = 500
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
    return set_text(source("common") + source(template), _data(content, on, mark), FONTS, on)


def _data(content: dict[str, Any], on: date, mark: str) -> dict[str, Any]:
    return {**content, "on": on.isoformat(), "demo": DEMO_MARK if settings.DEMO else "", "mark": mark}


@cache
def source(name: str) -> str:
    """The typst text of a template."""
    return (TEMPLATES / f"{name}.typ").read_text(encoding="utf-8")


def set_text(text: str, data: dict[str, Any], fonts: dict[str, list[str]], on: date) -> bytes:
    """The PDF of a typst text over `data`, in the first of `fonts` that are installed."""
    order = _order(text, data, fonts, on)
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(SETTER)], input=order, capture_output=True, timeout=SECONDS_MAX
        )
    except subprocess.TimeoutExpired as error:
        raise _too_long() from error
    return _made(done.returncode, done.stdout, done.stderr)


def _order(text: str, data: dict[str, Any], fonts: dict[str, list[str]], on: date) -> bytes:
    return json.dumps({"source": text, "data": data, "fonts": fonts, "on": on.isoformat()}).encode()


def _made(state: int, paper: bytes, words: bytes) -> bytes:
    if state == NO_FONTS:
        raise NoFonts("这台服务器缺少中文字体", remedy="请由管理员安装 fonts-noto-cjk 后再打印")
    if state:
        raise RuntimeError(f"typst: {words.decode(errors='replace')[-2000:]}")
    return paper


def _too_long() -> PaperTooLong:
    return PaperTooLong("这份材料太长，没有打印完", remedy="请分村打印，或导出为工作簿")


class Typesetter:
    """A process that sets one paper after another, by one thread at a time; a new one once it has grown beyond GROWN_MB.

    Fonts are looked for once, and what typst laid out for the papers before is at hand: half the time of many small papers.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def set(self, template: str, content: dict[str, Any], *, on: date, mark: str = "") -> bytes:
        """As `typeset`."""
        order = _order(source("common") + source(template), _data(content, on, mark), FONTS, on)
        process = self._process = self._process or subprocess.Popen(
            [sys.executable, "-I", str(SETTER), "many"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None and process.stdout is not None
        late = threading.Timer(SECONDS_MAX, process.kill)
        late.start()
        try:
            process.stdin.write(len(order).to_bytes(8) + order)
            process.stdin.flush()
            head = process.stdout.read(24)
            if len(head) < 24:
                raise BrokenPipeError
            state, megabytes, length = (int.from_bytes(head[at : at + 8]) for at in (0, 8, 16))
            made = process.stdout.read(length)
        except BrokenPipeError as error:
            self.close()
            raise _too_long() from error
        finally:
            late.cancel()
        if megabytes > GROWN_MB:
            self.close()
        return _made(state, made, made)

    def close(self) -> None:
        """The process ends; the next paper begins another."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()

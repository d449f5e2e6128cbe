"""The draw anybody can redo: from a published list and a public number to the cases that are checked (CASE-08).

Terms. The *list* is a text: one case number a line, rising, a tab and 必查 behind those that are checked in any case. Its
*digest* is SHA-256 over that text. The *number* is the outcome of a public event (a lottery's draw, a stock index) that
was named, with its day, when the list was frozen, and that happens on a later day. The *seed* is SHA-256 over
`digest|event|day|number`. The *key* of a case is SHA-256 over `seed:case number`.

Guarantees. Who freezes the list does not know the number, and who knows the number cannot change the list: the digest is
in the seed. The same list and number give the same cases, whatever the order of ids. A pencil, the list and a hash tool
are enough: the steps are those below, over the texts as printed.

Steps. How many: the percent of the whole list, rounded up, at least one. Which: of the cases that are not 必查 those with
the smallest keys; the 必查 besides, and they do not count. Pure: no database, no clock.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from huimin.kernel.errors import BadInput

MUST = "必查"


@dataclass(frozen=True)
class Event:
    """A public event with an outcome nobody chooses: how it is written, on which days it happens."""

    label: str
    example: str
    days: str
    weekdays: frozenset[int]
    read: Callable[[str], str | None]
    trading: bool = False


def _numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"[0-9]{1,2}", text)]


def _balls(red: int, red_max: int, blue: int, blue_max: int) -> Callable[[str], str | None]:
    """Rising front numbers and rising back numbers, as `01 05 09 12 22 30+07`."""

    def read(text: str) -> str | None:
        found = _numbers(text)
        front, back = found[:red], found[red:]
        right = len(back) == blue and _rise(front, red_max) and _rise(back, blue_max)
        return f"{' '.join(f'{n:02d}' for n in front)}+{' '.join(f'{n:02d}' for n in back)}" if right else None

    return read


def _rise(numbers: Sequence[int], most: int) -> bool:
    return all(0 < n <= most for n in numbers) and all(a < b for a, b in pairwise(numbers))


def _digits(text: str) -> str | None:
    found = "".join(re.findall(r"[0-9]", text))
    return found if len(found) == 5 else None


def _index(text: str) -> str | None:
    found = re.fullmatch(r"([1-9][0-9]{0,4})\.([0-9]{2})", text.replace(",", "").strip())
    return found[0] if found else None


EVENTS = {
    "ssq": Event(
        "福彩双色球", "01 05 09 12 22 30+07", "每周二、四、日开奖", frozenset({2, 4, 7}), _balls(6, 33, 1, 16)
    ),
    "dlt": Event(
        "体彩大乐透", "03 09 14 21 33+02 11", "每周一、三、六开奖", frozenset({1, 3, 6}), _balls(5, 35, 2, 12)
    ),
    "pl5": Event("体彩排列五", "40917", "每天开奖", frozenset(range(1, 8)), _digits),
    "sse": Event("上证综合指数收盘", "3568.14", "交易日收盘，两位小数", frozenset(range(1, 6)), _index, trading=True),
}
"""What a seed may come from. Outcomes: 17.7 million, 21.4 million, 100,000, and some thousand."""

_WIDE = str.maketrans("０１２３４５６７８９，．＋", "0123456789,.+")


def read_outcome(event: str, text: str) -> str:
    """The outcome in its one spelling, however it was typed; BadInput says how it is written."""
    told = EVENTS[event].read(text.translate(_WIDE)) if len(text) <= 60 else None
    if told is None:
        raise BadInput(
            f"“{text[:40]}”不是{EVENTS[event].label}的结果",
            where="公开号码",
            remedy=f"照公布的写，如 {EVENTS[event].example}",
        )
    return told


@dataclass(frozen=True)
class Entry:
    """One case on a list."""

    number: str
    must: bool = False


@dataclass(frozen=True)
class Pick:
    number: str
    key: str
    must: bool


def list_text(entries: Iterable[Entry]) -> str:
    """The list as it is frozen and published."""
    rising = sorted(entries, key=lambda entry: entry.number)
    return "".join(f"{entry.number}\t{MUST}\n" if entry.must else f"{entry.number}\n" for entry in rising)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def seed_text(digest: str, event: str, day: date, number: str) -> str:
    return f"{digest}|{EVENTS[event].label}|{day.isoformat()}|{number}"


def seed_of(digest: str, event: str, day: date, number: str) -> str:
    return digest_of(seed_text(digest, event, day, number))


def key_of(seed: str, number: str) -> str:
    return digest_of(f"{seed}:{number}")


def quota_of(size: int, must: int, percent: int) -> int:
    """How many are drawn: the percent of the whole list, rounded up, of those that are not 必查."""
    return min(-(-size * percent // 100), size - must)


def draw(entries: Sequence[Entry], seed: str, percent: int) -> list[Pick]:
    """Who is checked: the 必查 and the smallest keys of the others, by key."""
    must = [Pick(each.number, key_of(seed, each.number), True) for each in entries if each.must]
    others = sorted((key_of(seed, each.number), each.number) for each in entries if not each.must)
    quota = quota_of(len(entries), len(must), percent)
    return sorted([*must, *(Pick(number, key, False) for key, number in others[:quota])], key=lambda pick: pick.key)


# The published text: what a sheet says, as a file that can be redone without a database.

_HEAD = re.compile(r"([^：\s]{1,20})：(.*)")


@dataclass(frozen=True)
class Published:
    """A draw as published: the list, the rule, the event, and what came of it."""

    title: str
    percent: int
    digest: str
    event: str
    day: date
    number: str
    entries: tuple[Entry, ...]
    picked: tuple[str, ...]

    def text(self) -> str:
        heads = [
            ("抽签", self.title), ("比例", f"{self.percent}%"), ("名单摘要", self.digest), ("公开号码", EVENTS[self.event].label),
            ("日期", self.day.isoformat()), ("号码", self.number), ("种子", self.seed if self.number else ""),
            ("抽中", " ".join(self.picked)),
        ]  # fmt: skip
        return "".join(f"{name}：{value}\n" for name, value in heads) + "名单：\n" + list_text(self.entries)

    @property
    def seed(self) -> str:
        return seed_of(self.digest, self.event, self.day, self.number)


def read_published(text: str) -> Published:
    """The draw of a published file; BadInput names the line that cannot be read."""
    lines = text.replace("\r\n", "\n").lstrip("\ufeff").split("\n")
    heads: dict[str, str] = {}
    at = 0
    for at, line in enumerate(lines):
        if line == "名单：":
            break
        found = _HEAD.fullmatch(line)
        if not found:
            raise _unreadable(at + 1, line)
        heads[found[1]] = found[2]
    entries = tuple(_entry(n, line) for n, line in enumerate(lines[at + 1 :], at + 2) if line)
    labels = {event.label: code for code, event in EVENTS.items()}
    try:
        return Published(
            heads["抽签"], int(heads["比例"].removesuffix("%")), heads["名单摘要"], labels[heads["公开号码"]],
            date.fromisoformat(heads["日期"]), heads["号码"], entries, tuple(heads["抽中"].split()),
        )  # fmt: skip
    except (KeyError, ValueError) as wrong:
        raise BadInput(f"缺少或写错了{wrong}", where="公布的文件", remedy="请用抽签页面下载的文件，不要改动") from wrong


def _entry(at: int, line: str) -> Entry:
    number, tab, must = line.partition("\t")
    if not re.fullmatch(r"[0-9]{8,20}", number) or (tab and must != MUST):
        raise _unreadable(at, line)
    return Entry(number, bool(tab))


def _unreadable(at: int, line: str) -> BadInput:
    return BadInput(f"读不懂“{line[:30]}”", where=f"第 {at} 行", remedy="请用抽签页面下载的文件，不要改动")


def faults_of(told: Published) -> list[str]:
    """What does not agree when the draw is redone from what was published; empty when all does."""
    faults = []
    if digest_of(list_text(told.entries)) != told.digest:
        faults.append("名单与公布的摘要不符：名单被改动过")
    if not told.number:
        return [*faults, *(["还没有号码，却有抽中的"] if told.picked else [])]
    if EVENTS[told.event].read(told.number) != told.number:
        faults.append(f"号码“{told.number}”不是{EVENTS[told.event].label}的写法")
    expected = {pick.number for pick in draw(told.entries, told.seed, told.percent)}
    if missing := sorted(expected - set(told.picked)):
        faults.append(f"按种子应抽中而没有的：{'、'.join(missing[:20])}")
    if extra := sorted(set(told.picked) - expected):
        faults.append(f"抽中了不该抽中的：{'、'.join(extra[:20])}")
    return faults

"""YAML as text with places: every word of a policy file knows its line and column.

in    the text of one YAML file
out   `Entry` trees: mappings and lists of `Source` texts; or a fault

Nothing is converted: `2021-07-01`, `是` and `341524000000` stay the words that were typed, so that YAML's own guesses
(octal numbers, yes as true) cannot change a policy. Keys appear once. No anchors, no tags, no second document.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from huimin.rules.faults import Fault, FaultFound, OneLine, PolicyFaults, Source, nearest

TEXT_MAX = 500_000
NODES_MAX, DEPTH_MAX = 20_000, 30
_SLOW_MAX = 40_000
_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml where it is there: twenty times as fast, the same marks
_STRANGE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One node: `at` is its first character; exactly one of text, fields, items is given (None for an empty value)."""

    at: Source
    text: Source | None = None
    fields: dict[str, tuple[Source, "Entry"]] | None = None
    items: tuple["Entry", ...] | None = None

    @property
    def plain(self) -> object:
        """The words alone, for digests."""
        if self.fields is not None:
            return {key: entry.plain for key, (_, entry) in self.fields.items()}
        if self.items is not None:
            return [item.plain for item in self.items]
        return self.text.text.strip() if self.text else ""

    def words(self, what: str) -> Source:
        """The text of a value that must be one. Raises FaultFound."""
        if self.text is None or not self.text.text.strip():
            raise FaultFound(self.at, 0, f"“{what}”这里应当写文字", "请在冒号后空一格写上内容")
        return self.text

    def mapping(self, what: str, allowed: tuple[str, ...]) -> dict[str, "Entry"]:
        """The fields of a value that must have some; an unknown field is a fault with the nearest known one."""
        if self.fields is None:
            raise FaultFound(self.at, 0, f"{what}应当写成若干“名称: 内容”", f"可写的有：{'、'.join(allowed)}")
        for key, (source, _) in self.fields.items():
            if allowed and key not in allowed:
                near = nearest(key, allowed) or f"可写的有：{'、'.join(allowed)}"
                raise FaultFound(source, 0, f"{what}没有“{key}”这一项", near)
        return {key: entry for key, (_, entry) in self.fields.items()}

    def sequence(self, what: str) -> tuple["Entry", ...]:
        if self.items is None:
            raise FaultFound(self.at, 0, f"“{what}”应当是一列，每项以“- ”开头", "请逐项另起一行写“- ”")
        return self.items


@lru_cache(maxsize=256)
def read_yaml(text: str, file: str) -> Entry:
    """The whole file, kept: a draft is checked with all other files as they stand. Raises FaultFound or PolicyFaults."""
    if len(text) > TEXT_MAX:
        raise FaultFound(Source.plain("", file), 0, f"文件超过 {TEXT_MAX // 1000} 千字", "请拆成几个文件")
    text = text.removeprefix("\ufeff")
    try:
        found = _Reader(text, file).document()
    except yaml.MarkedYAMLError as error:
        raise PolicyFaults([_syntax_fault(_told_better(text) or error, file, text)]) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise FaultFound(
            _first_strange(text, file), 0, "文件里有 YAML 不允许的字符", "请删去看不见的控制字符"
        ) from None
    if found is None:
        raise FaultFound(Source.plain("", file), 0, "文件是空的", "请写政策，或删去这个文件")
    return found


def _told_better(text: str) -> yaml.MarkedYAMLError | None:
    """The slower parser's account of the same mistake, which points closer to it; it is slow enough to spare long texts."""
    if len(text) > _SLOW_MAX:
        return None
    try:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        return error
    except yaml.YAMLError:
        pass
    return None


def _first_strange(text: str, file: str) -> Source:
    found = _STRANGE.search(text)
    before = text[: found.start()] if found else ""
    return Source(file, "", ((before.count("\n") + 1, len(before) - before.rfind("\n")),))


def _syntax_fault(error: yaml.MarkedYAMLError, file: str, text: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    around = lines[max(0, line - 2) : line]
    wide = any("：" in row.split("#")[0] and ": " not in row for row in around)
    remedy = "冒号请用半角“:”并在后面空一格" if wide else "请检查缩进、冒号（半角，后空一格）和引号是否配对"
    return Fault(file, line, column, f"YAML 写法不对：{_PROBLEMS.get(error.problem or '', error.problem)}", remedy)


_PROBLEMS = {
    "could not find expected ':'": "这里缺少半角冒号",
    "mapping values are not allowed in this context": "这里不应出现冒号（上一行可能没写完，或缩进不对）",
    "found character that cannot start any token": "这里有不能开头的符号（制表符请改成空格）",
    "mapping values are not allowed here": "这里不应出现冒号（上一行可能没写完，或缩进不对）",
    "found character '\\t' that cannot start any token": "不能用制表符缩进，请用空格",
    "expected <block end>, but found '<block mapping start>'": "缩进与上面不一致",
    "expected <block end>, but found '-'": "缩进与上面不一致",
    "expected <block end>, but found '<scalar>'": "引号后面多出了文字",
    "found unexpected end of stream": "引号没有配对",
}


class _Reader:
    """Turns the events of the parser into entries, with a stack of its own: depth and number are bounded."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self.taken = 0

    def next(self) -> yaml.Event:
        self.taken += 1
        event = next(self.events)
        if self.taken > NODES_MAX:
            raise FaultFound(self.spot(event), 0, f"文件里的内容超过 {NODES_MAX} 项", "请拆成几个文件")
        if isinstance(event, yaml.AliasEvent):
            raise FaultFound(
                self.spot(event),
                0,
                f"不支持 YAML 引用 *{getattr(event, 'anchor', '')}",
                "请把内容原样写出；乘号前面须有数值",
            )
        if anchor := getattr(event, "anchor", None):
            raise FaultFound(self.spot(event), 0, f"不支持 YAML 记号 &{anchor}", "请删去记号，把内容原样写出")
        if getattr(event, "tag", None) not in (None, "!"):
            raise FaultFound(self.spot(event), 0, "不支持 YAML 类型标记（!…）", "请删去感叹号和后面的类型")
        return event

    def document(self) -> Entry | None:
        while not isinstance(event := self.next(), yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                return None
        found = self.entry(self.next(), 1)
        self.next()
        after = self.next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise FaultFound(self.spot(after), 0, "一个文件里只能写一份（出现了第二个 ---）", "请拆成两个文件")
        return None if found.text is not None and not found.text.text else found

    def entry(self, event: yaml.Event, depth: int) -> Entry:
        if depth > DEPTH_MAX:
            raise FaultFound(self.spot(event), 0, f"括号或缩进套得超过 {DEPTH_MAX} 层", "请减少层次")
        start = self.spot(event)
        if isinstance(event, yaml.ScalarEvent):
            return Entry(start, text=self.words(event))
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(child := self.next(), yaml.SequenceEndEvent):
                items.append(self.entry(child, depth + 1))
            return Entry(start, items=tuple(items))
        fields: dict[str, tuple[Source, Entry]] = {}
        while not isinstance(name := self.next(), yaml.MappingEndEvent):
            if not isinstance(name, yaml.ScalarEvent):
                raise FaultFound(self.spot(name), 0, "名称应当是一个词", "请检查缩进和冒号")
            key = self.words(name)
            if key.text in fields:
                raise FaultFound(key, 0, f"“{key.text}”写了两次", "请合并或删去一处")
            fields[key.text] = (key, self.entry(self.next(), depth + 1))
        return Entry(start, fields=fields)

    def spot(self, event: yaml.Event) -> Source:
        mark = event.start_mark
        return Source(self.file, "", ((mark.line + 1, mark.column + 1) if mark else (1, 1),))

    def words(self, event: yaml.ScalarEvent) -> Source:
        assert event.start_mark is not None and event.end_mark is not None
        start, line, column = event.start_mark.index, event.start_mark.line + 1, event.start_mark.column + 1
        if event.style in ("|", ">"):
            head = self.text.find("\n", start)
            start, line, column = head + 1 if head >= 0 else len(self.text), line + 1, 1
        elif event.style in ("'", '"'):
            start, column = start + 1, column + 1
        end = event.end_mark.index
        if self.text.startswith(event.value, start) and "\n" not in event.value:
            return Source(self.file, event.value, OneLine(line, column, len(event.value) + 1))
        return Source(self.file, event.value, tuple(self.places(event.value, start, end, line, column)))

    def places(self, value: str, start: int, end: int, line: int, column: int) -> Iterator[tuple[int, int]]:
        """Line and column of each character of the value, and of its end, found by walking both texts together."""
        at = start
        for char in [*value, None]:
            while at < end and char is not None and not _same(self.text[at], char):
                line, column = (line + 1, 1) if self.text[at] == "\n" else (line, column + 1)
                at += 1
            yield line, column
            if at < end:
                line, column = (line + 1, 1) if self.text[at] == "\n" else (line, column + 1)
                at += 1


def _same(raw: str, char: str) -> bool:
    """A folded line end stands for a space."""
    return raw == char or (raw in " \n" and char in " \n")

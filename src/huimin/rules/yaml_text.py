"""YAML as text with places: every word of a policy file knows its line and column.

in    the text of one YAML file
out   `Entry` trees: mappings and lists of `Source` texts; or a fault

Nothing is converted: `2021-07-01`, `是` and `341524000000` stay the words that were typed, so that YAML's own guesses
(octal numbers, yes as true) cannot change a policy. Keys appear once. No anchors, no tags, no second document.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from huimin.rules.faults import Fault, FaultFound, PolicyFaults, Source, nearest

TEXT_MAX = 500_000


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
        raise FaultFound(Source.plain("", file), 0, f"文件超过 {TEXT_MAX} 字", "请拆成几个文件")
    try:
        _refuse_aliases(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise PolicyFaults([_syntax_fault(error, file, text)]) from None
    except yaml.YAMLError as error:
        raise FaultFound(Source.plain("", file), 0, "文件里有 YAML 不允许的字符", str(error)) from None
    except RecursionError:
        raise FaultFound(Source.plain("", file), 0, "括号或缩进套得太深", "请减少层次") from None
    if node is None:
        raise FaultFound(Source.plain("", file), 0, "文件是空的", "请写政策，或删去这个文件")
    return _Reader(text, file).entry(node)


def _refuse_aliases(text: str, file: str) -> None:
    """A reference to another place in the file could hold itself; a reader should not have to look elsewhere either."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            mark = event.start_mark
            spot = Source(file, "", ((mark.line + 1, mark.column + 1) if mark else (1, 1),))
            raise FaultFound(spot, 0, f"不支持 YAML 引用 *{event.anchor}", "请把内容原样写出；乘号前面须有数值")


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
    "mapping values are not allowed here": "这里不应出现冒号（上一行可能没写完，或缩进不对）",
    "found character '\\t' that cannot start any token": "不能用制表符缩进，请用空格",
    "expected <block end>, but found '<block mapping start>'": "缩进与上面不一致",
    "expected <block end>, but found '-'": "缩进与上面不一致",
    "expected <block end>, but found '<scalar>'": "引号后面多出了文字",
    "found unexpected end of stream": "引号没有配对",
}


class _Reader:
    """Turns composed nodes into entries."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file

    def entry(self, node: yaml.Node) -> Entry:
        start = self.spot(node)
        if isinstance(node, yaml.ScalarNode):
            return Entry(start, text=self.words(node))
        if isinstance(node, yaml.SequenceNode):
            return Entry(start, items=tuple(self.entry(child) for child in node.value))
        assert isinstance(node, yaml.MappingNode)
        fields: dict[str, tuple[Source, Entry]] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise FaultFound(self.spot(key_node), 0, "名称应当是一个词", "请检查缩进和冒号")
            key = self.words(key_node)
            if key.text in fields:
                raise FaultFound(key, 0, f"“{key.text}”写了两次", "请合并或删去一处")
            fields[key.text] = (key, self.entry(value_node))
        return Entry(start, fields=fields)

    def spot(self, node: yaml.Node) -> Source:
        mark = node.start_mark
        return Source(self.file, "", ((mark.line + 1, mark.column + 1),))

    def words(self, node: yaml.ScalarNode) -> Source:
        start, end = node.start_mark.index, node.end_mark.index
        if node.style in ("|", ">"):
            start = self.text.index("\n", start) + 1
        elif node.style in ("'", '"'):
            start += 1
        return Source(self.file, node.value, tuple(self.places(node.value, start, end)))

    def places(self, value: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Line and column of each character of the value, and of its end, found by walking both texts together."""
        at = start
        line, column = self.text.count("\n", 0, at) + 1, at - (self.text.rfind("\n", 0, at) + 1) + 1
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

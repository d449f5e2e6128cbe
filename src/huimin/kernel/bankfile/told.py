"""A description as typed, with the line of every word, so that a wrong one is told where and what would be right.

in    the text of one YAML file
out   `Told` nodes: `value` is the plain value, `line` where it stands; `Faults` gathers everything that is wrong
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

from huimin.kernel.errors import BadInput


class BadDescription(BadInput):
    """A description cannot be used as written; `faults` are all its faults, each with its line."""

    def __init__(self, name: str, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("；".join(faults), where=name, remedy="请照 docs/formats 的说明改正")


@dataclass
class Faults:
    """What is wrong with one description, gathered to the end."""

    name: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, what: str, remedy: str = "") -> None:
        self.found.append(f"第 {line} 行 {what}" + (f"（{remedy}）" if remedy else ""))

    def close(self) -> None:
        if self.found:
            raise BadDescription(self.name, self.found)


@dataclass(frozen=True)
class Told:
    """One node. `items` and `fields` are empty where the value is a word."""

    value: Any
    line: int
    fields: dict[str, "Told"]
    items: tuple["Told", ...]

    def __iter__(self) -> Iterator["Told"]:
        return iter(self.items)

    def get(self, key: str) -> "Told | None":
        return self.fields.get(key)


def read_told(text: str, name: str) -> Told:
    """BadDescription for what is no YAML, has anchors, or says a key twice."""
    faults = Faults(name)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        faults.add(mark.line + 1 if mark else 1, "不是 YAML", "检查缩进、冒号后的空格和引号")
        node = None
    faults.close()
    if not isinstance(node, yaml.MappingNode):
        faults.add(1, "应当写成若干“名称: 内容”")
        faults.close()
    told = _told(node, faults, yaml.SafeLoader(""))
    faults.close()
    return told


def _told(node: Any, faults: Faults, loader: Any) -> Told:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        fields: dict[str, Told] = {}
        for key, value in node.value:
            word = str(key.value)
            if word in fields:
                faults.add(key.start_mark.line + 1, f"“{word}”写了两遍")
            fields[word] = _told(value, faults, loader)
        return Told({key: each.value for key, each in fields.items()}, line, fields, ())
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_told(each, faults, loader) for each in node.value)
        return Told([each.value for each in items], line, {}, items)
    return Told(loader.construct_object(node), line, {}, ())


def nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant, or everything there is."""
    there = sorted(known)
    close = get_close_matches(word, there, n=1, cutoff=0.5)
    return f"最接近的是“{close[0]}”" if close else f"可写的有：{'、'.join(there)}"

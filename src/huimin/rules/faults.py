"""Faults in a policy: where, what was found, and what would be right.

in    text of a policy file, offsets into one expression of it
out   `Fault`s, gathered into one `PolicyFaults`, which is a `BadInput`

Always true: a fault points at the character in the file the author edits (line and column counted from 1), also when
the expression is quoted, folded or a block in YAML. One reading gathers the faults of all files; within one expression
only the first is told, since what follows a misread word is guesswork.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from huimin.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class OneLine:
    """The places of `length` characters that stand as they are on one line: computed when asked, most never are."""

    line: int
    column: int
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, offset: int) -> tuple[int, int]:
        return self.line, self.column + offset


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of text and the place of each of its characters (and of its end) in the file it came from."""

    file: str
    text: str
    places: tuple[tuple[int, int], ...] | OneLine

    @classmethod
    def plain(cls, text: str, file: str = "算式") -> "Source":
        """Text that stands alone on one line: a test, or a value from the command line."""
        return cls(file, text, OneLine(1, 1, len(text) + 1))

    def place(self, offset: int) -> tuple[int, int]:
        return self.places[min(max(offset, 0), len(self.places) - 1)]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend, in the words of who wrote it."""

    file: str
    line: int
    column: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        sentence = "。".join(part.rstrip("。") for part in (self.what, self.remedy) if part)
        return f"{self.where}：{sentence}。"

    @property
    def where(self) -> str:
        return f"{self.file} 第 {self.line} 行第 {self.column} 列"


class PolicyFaults(BadInput):
    """The policies cannot be used as written; `faults` lists everything found, in reading order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        first = self.faults[0]
        super().__init__(first.what, where=first.where, remedy=first.remedy)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class FaultFound(Exception):
    """Stops the reading of one expression or entry; whoever reads the file gathers it and goes on."""

    def __init__(self, source: Source, offset: int, what: str, remedy: str = "") -> None:
        line, column = source.place(offset)
        self.fault = Fault(source.file, line, column, what, remedy)
        super().__init__(str(self.fault))


class AlreadyTold(Exception):
    """This rests on something faulty that has its own fault: say nothing twice."""


def nearest(word: str, known: Iterable[str]) -> str:
    """“最接近的是…”, or an empty string when nothing is near."""
    matches: Sequence[str] = get_close_matches(word, list(known), n=1, cutoff=0.34)
    return f"最接近的是“{matches[0]}”" if matches else ""

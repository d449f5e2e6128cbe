"""A draft: what would be different, and the programmes that come of it (POL-04).

in    the texts in use, what the draft changes, a place and a day
out   `Laws`: the programmes in force before and after, bound to their values

A draft sets standards otherwise (`--set 低保标准=740`, for one programme or for every one that has it), or replaces
policy texts, or both. A text that cannot be read, a standard that no programme has, a wrong unit: BadInput or
PolicyFaults, with the place of the fault. Worked cases are not run here: a draft's cases are checked when it is adopted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from huimin.kernel.errors import BadInput
from huimin.kernel.places import NATION, chain
from huimin.policy.queries import book_of
from huimin.rules import Book, PolicyFaults, Programme
from huimin.rules.faults import nearest
from huimin.rules.reading import is_bank, is_process

EVERY = ""
"""As a programme's code in `Draft.settings`: every programme that has the standard."""
TEXT_BYTES_MAX = 1_000_000


@dataclass(frozen=True)
class Draft:
    """`settings`: programme code (or EVERY) → standard → value as written; `texts`: path → the whole new text.

    With `whole`, `texts` are all the policies there would be.
    """

    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False

    @property
    def plain(self) -> dict[str, Any]:
        """As stored; `Draft(**plain)` gives it back."""
        settings = {code: dict(values) for code, values in self.settings.items() if values}
        return {"settings": settings, "texts": dict(self.texts), "whole": self.whole}

    def texts_over(self, texts: Mapping[str, str]) -> Mapping[str, str]:
        return self.texts if self.whole else {**texts, **self.texts}


@dataclass(frozen=True)
class Laws:
    """Programmes in force before and after, by code; those that wait for a value, with the names of what is unset."""

    before: Mapping[str, Programme]
    after: Mapping[str, Programme]
    waiting: Mapping[str, tuple[str, ...]]

    @property
    def codes(self) -> list[str]:
        return sorted({*self.before, *self.after})

    @property
    def changed(self) -> frozenset[str]:
        """Codes whose words or values the draft changes, begins or ends."""
        return frozenset(code for code in self.codes if _differ(self.before.get(code), self.after.get(code)))

    @property
    def reached(self) -> frozenset[str]:
        """What is changed, and what asks about it with 符合, directly or by others: the rest gives the same as before."""
        found = set(self.changed)
        while more := {code for code, law in self.after.items() if law.structure.fits & found} - found:
            found |= more
        return frozenset(found)

    def law(self, code: str) -> Programme:
        """As the draft has it, else as it is."""
        return self.after.get(code) or self.before[code]


def _differ(was: Programme | None, now: Programme | None) -> bool:
    """In words or values; the same value written by another hand is no difference."""
    if was is None or now is None:
        return was is not now
    values = [{name: each.value for name, each in law.parameters.items()} for law in (was, now)]
    return was.structure.plain != now.structure.plain or values[0] != values[1] or was.elsewhere != now.elsewhere


def version_in(laws: Mapping[str, Programme], code: str) -> str:
    """The version in force, empty for none."""
    return laws[code].version if code in laws else ""


def drafted(texts: Mapping[str, str], draft: Draft, place: str, on: date) -> Laws:
    """The programmes at `place` on that day under `texts`, and under the draft. BadInput when nothing would differ."""
    places = chain(place)
    book = book_of(texts)
    after_texts = draft.texts_over(texts)
    after_book = book if after_texts == texts else book_of(after_texts)
    before = {law.code: law for law in book.programmes_in_force(places, on)}
    after = _with_settings(after_book, draft.settings, places, on)
    laws = Laws(before, after, after_book.waiting(places, on))
    if not laws.changed:
        raise BadInput(
            "草案和现行政策没有不同", where="草案", why=f"在 {place}、{on} 各项目的条件和标准都一样",
            remedy="请至少改一个标准或一份文件，并核对生效日期",
        )  # fmt: skip
    return laws


def _with_settings(
    book: Book, settings: Mapping[str, Mapping[str, str]], places: tuple[str, ...], on: date
) -> dict[str, Programme]:
    """Programmes in force with the draft's values; a programme that waited for a value may begin by it."""
    for code in settings:
        if code and code not in book.codes:
            raise BadInput(f"没有“{code}”这个项目", where=code, remedy=nearest(code, book.codes) or "请核对项目编码")
    general = settings.get(EVERY, {})
    found = {law.code: law for law in book.programmes_in_force(places, on, general)}
    for code, own in settings.items():
        if code and own:
            declared = _declared(book, code)
            values = {name: value for name, value in general.items() if name in declared} | dict(own)
            found |= {law.code: law for law in book.programmes_in_force(places, on, values, only=code)}
    return found


def _declared(book: Book, code: str) -> set[str]:
    return {each.name for layer in book.layers if layer.programme == code for each in layer.declared}


def named_as(found: PolicyFaults, names: Mapping[str, str]) -> PolicyFaults:
    """The faults by the names their author knows the texts by: path → name of his file."""
    return PolicyFaults(replace(fault, file=names.get(fault.file, fault.file)) for fault in found.faults)


def text_path(name: str, text: str, texts: Mapping[str, str]) -> str:
    """Where a single text belongs: the path of the text of the same programme, place and day, else one of its own.

    A text without a programme (values, facts of a place) takes the place of its like: of one such text, or the one so named.
    """
    head = _head(text)
    same = [path for path, other in texts.items() if _is_policy(path) and _head(other) == head]
    if not head[0]:
        kind = _kinds(text)
        same = [path for path in same if kind and _kinds(texts[path]) == kind]
        same = same if len(same) == 1 else [path for path in same if path.rpartition("/")[2] == name]
    return same[0] if same else f"draft/{name}"


def _is_policy(path: str) -> bool:
    return not (is_process(path) or is_bank(path))


def _kinds(text: str) -> frozenset[str]:
    """Whether it brings values, or facts of its own."""
    return frozenset(_KIND.findall(text))


_KIND = re.compile(r"^(参数|事实)[:：]", re.MULTILINE)
_HEAD = re.compile(r"""^(项目|区划|自)[:：]\s*["']?([^"'#\s]+)""", re.MULTILINE)


def _head(text: str) -> tuple[str, str, str]:
    """项目, 区划 and 自 of a text, as written at the beginning of its lines."""
    found = dict(reversed(_HEAD.findall(text)))
    return found.get("项目", ""), found.get("区划", NATION), found.get("自", "")

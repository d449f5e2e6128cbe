"""Policy texts into a Book, or everything that is wrong with them.

in    a folder of YAML files, or their texts by file name
out   a `Book` without faults, or PolicyFaults with all of them; `check_texts` for who edits: the faults, and never an exception
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS, Fact
from huimin.rules.book import Book
from huimin.rules.book_check import BookCheck
from huimin.rules.county_facts import LocalFact
from huimin.rules.faults import Fault, FaultFound, PolicyFaults
from huimin.rules.layers import FileReader, Layer, ParameterEntry
from huimin.rules.yaml_text import TEXT_MAX, read_yaml

FILE_BYTES_MAX = 4 * TEXT_MAX
_CODE = re.compile(r"^[ \t]*(?:-[ \t]*)?项目[ \t]*[:：][ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)


def is_process(path: str) -> bool:
    """Whether a path below `policy/` holds processes (who reviews, in which order); those are huimin.processes' to read."""
    return "processes" in path.split("/")[:-1]


def is_bank(path: str) -> bool:
    """Whether a path below `policy/` describes a bank's files; those are huimin.kernel.bankfile's to read."""
    return "banks" in path.split("/")[:-1]


def read_book(folder: Path, facts: Iterable[Fact] = FACTS) -> Book:
    """All *.yaml files under `folder`. Raises PolicyFaults, which lists everything wrong in all of them."""
    if not folder.is_dir():
        raise BadInput(f"没有政策文件夹 {folder}", where=str(folder), remedy="请用 --folder 指明政策文件夹")
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for path in sorted(folder.rglob("*.yaml")):
        below = path.relative_to(folder).as_posix()
        if is_process(below) or is_bank(below):
            continue
        name = f"{folder.name}/{path.relative_to(folder)}"
        try:
            texts[name] = decoded(path, name)
        except PolicyFaults as found:
            faults += found.faults
    faults += _passed_over(folder)
    if faults:
        raise PolicyFaults([*faults, *check_texts(texts, facts)])
    return read_book_texts(texts, facts)


def _passed_over(folder: Path) -> list[Fault]:
    """Files that look like policies and are not read: nobody shall think they were checked."""
    alike = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".yml", ".yaml")]
    names = [f"{folder.name}/{path.relative_to(folder)}" for path in alike if path.suffix != ".yaml"]
    return [Fault(name, 1, 1, "扩展名应当是 .yaml", "请改名，以免漏读") for name in names]


def decoded(path: Path, name: str) -> str:
    """The text of one file. Raises PolicyFaults."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise PolicyFaults([Fault(name, 1, 1, f"文件超过 {FILE_BYTES_MAX // 1000} KB", "请拆成几个文件")])
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as wrong:
        line = path.read_bytes()[: wrong.start].count(b"\n") + 1
        raise PolicyFaults([Fault(name, line, 1, "文件不是 UTF-8 编码（可能是 GBK）", "请另存为 UTF-8 再试")]) from None


def read_book_texts(texts: Mapping[str, str], facts: Iterable[Fact] = FACTS) -> Book:
    """The same from texts by file name."""
    book, faults = _gathered(texts, facts)
    if not faults:
        faults += BookCheck(book).faults()
    if faults:
        raise PolicyFaults(faults)
    return book


def check_texts(texts: Mapping[str, str], facts: Iterable[Fact] = FACTS) -> list[Fault]:
    """Every fault of these texts in reading order, an empty list when there is none; raises nothing.

    Where one file cannot be read whole, the others are still looked at, but for what rests on the faulty one.
    """
    book, faults = _gathered(texts, facts)
    broken = {fault.file for fault in faults}
    lost = {code for name in broken for code in _CODE.findall(texts.get(name, ""))}
    for fault in BookCheck(book).faults():
        rests_on_it = fault.file in broken or any(code in fault.what for code in lost)
        faults += [] if rests_on_it else [fault]
    lost_files = {layer.at.file for layer in book.layers if layer.programme in lost}
    return sorted({fault for fault in faults if fault.file in broken or fault.file not in lost_files})


def _gathered(texts: Mapping[str, str], facts: Iterable[Fact]) -> tuple[Book, list[Fault]]:
    """What could be read, and what is faulty within single files."""
    faults: list[Fault] = []
    layers: list[Layer] = []
    parameters: list[ParameterEntry] = []
    local_facts: list[LocalFact] = []
    for name, text in sorted(texts.items()):
        if is_process(name) or is_bank(name):
            continue
        try:
            reader = FileReader(read_yaml(text, name))
        except (FaultFound, PolicyFaults) as found:
            faults += [found.fault] if isinstance(found, FaultFound) else found.faults
            continue
        layer = reader.read()
        layers += [layer] if layer else []
        parameters += reader.parameters
        local_facts += reader.facts
        faults += [found.fault for found in reader.faults]
    return Book(tuple(facts), tuple(layers), tuple(parameters), tuple(local_facts)), faults

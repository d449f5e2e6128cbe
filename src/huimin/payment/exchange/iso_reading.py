"""Messages of ISO 20022 as they come, element by element, from whoever wrote them (PAY-05, SEC-04). Pure.

in    a stream, the message's name ("pain.002", "camt.053"), which elements are records, which may stand once only
out   `Message`: what stood before the first record, then records one by one, each as texts by path

Hostile by assumption: a document type (and with it every entity) is refused, as are another encoding than UTF-8,
another message, elements nested or repeated or long beyond what the standard has use for, and whatever does not end.
Memory does not grow with the file. The parser is expat of the standard library, told to refuse; `defusedxml` does no
more, and no faster parser is needed.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from huimin.kernel.errors import BadInput

_BLOCK = 1 << 16
_DEPTH_MAX, _TEXT_MAX, _LEAVES_MAX = 24, 2_100, 400
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"


class Record:
    """One record: first text by path below it, and the record it stands in."""

    __slots__ = ("around", "inner", "tag", "texts")

    def __init__(self, tag: str, around: "Record | None") -> None:
        self.tag, self.around, self.texts, self.inner = tag, around, {}, 0

    def get(self, *paths: str) -> str:
        """The text of the first of these paths that is there."""
        for path in paths:
            if path in self.texts:
                return str(self.texts[path])
        return ""


class Message:
    """Reads a stream once. `head` has the texts that stood outside of records so far, by path from the message down."""

    def __init__(
        self, source: BinaryIO, name: str, wanted: str, records: frozenset[str], once: frozenset[str] = frozenset()
    ) -> None:
        self.source, self.name, self.wanted, self.records = source, name, wanted, records
        self._once, self._met = once, set()
        self.head: dict[str, str] = {}
        self.version = ""
        self._path: list[tuple[str, Record | None]] = []
        self._below: list[str] = []
        self._text: list[str] = []
        self._length = self._heads = 0
        self._ready: deque[Record] = deque()
        self._parser = self._made()
        self._iterator = self._records()
        self.first: Record | None = None

    def begin(self, *tags: str) -> list[Record]:
        """Read up to the first record of these tags, so that `head` is known; what other records came before it."""
        before = []
        for record in self._iterator:
            if record.tag in tags:
                self.first = record
                break
            before.append(record)
            if len(before) > _LEAVES_MAX:
                raise self.wrong(f"报文头里有 {_LEAVES_MAX} 个以上的值")
        return before

    def __iter__(self) -> Iterator[Record]:
        if self.first is not None:
            yield self.first
        yield from self._iterator

    @property
    def line(self) -> int:
        return int(self._parser.CurrentLineNumber)

    def wrong(self, what: str, why: str = "") -> BadInput:
        return BadInput(what, where=f"{self.name} 第{self.line}行", why=why, remedy="整份不收，请与银行核对后重发")

    def _made(self) -> Any:
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        parser.ProcessingInstructionHandler = self._refuse_instruction
        parser.XmlDeclHandler = self._declared
        return parser

    def _records(self) -> Iterator[Record]:
        self.source.seek(0)
        try:
            while block := self.source.read(_BLOCK):
                self._parser.Parse(block, False)
                while self._ready:
                    yield self._ready.popleft()
            self._parser.Parse(b"", True)
        except expat.ExpatError as wrong:
            words = expat.errors.messages[wrong.code]
            cut = words in ("no element found", "unclosed token", "unclosed CDATA section", "partial character")
            what = "文件不完整" if cut else "不是完好的 XML 报文"
            why = "可能在传送中被截断" if cut else f"第 {wrong.offset + 1} 列：{words}；编码应为 UTF-8"
            raise BadInput(
                what, where=f"{self.name} 第{wrong.lineno}行", why=why, remedy="整份不收，请重新取得完整文件"
            ) from None
        while self._ready:
            yield self._ready.popleft()

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "utf8"):
            raise self.wrong(f"报文写的编码是 {encoding[:20]}", "约定用 UTF-8")

    def _refuse_doctype(self, *_: Any) -> None:
        raise self.wrong("报文里有文档类型或实体声明", "报文不需要它，可能是恶意构造的")

    def _refuse_instruction(self, *_: Any) -> None:
        raise self.wrong("报文里有处理指令", "报文不需要它")

    def _start(self, told: str, _: dict[str, str]) -> None:
        namespace, _, tag = told.rpartition("}")
        if not self._path:
            if tag != "Document" or not namespace.startswith(f"{_NAMESPACE}{self.wanted}."):
                raise self.wrong(f"不是 {self.wanted} 报文")
            self.version = namespace.removeprefix(_NAMESPACE)
        if len(self._path) >= _DEPTH_MAX:
            raise self.wrong(f"元素套了 {_DEPTH_MAX} 层以上")
        if tag in self._once:
            if tag in self._met:
                raise self.wrong(f"报文里有几个 {tag}", "约定一份文件只有一个")
            self._met.add(tag)
        record = self._path[-1][1] if self._path else None
        self._below.append(tag)
        if tag in self.records:
            if record is not None:
                record.inner += 1
            record = Record(tag, record)
            self._below.clear()
        self._path.append((tag, record))
        self._text.clear()
        self._length = 0

    def _characters(self, text: str) -> None:
        self._length += len(text)
        if self._length > _TEXT_MAX:
            raise self.wrong(f"一个元素里有 {_TEXT_MAX} 个字以上")
        self._text.append(text)

    def _end(self, _: str) -> None:
        tag, record = self._path.pop()
        text = "".join(self._text).strip()
        if text:
            self._keep(record, text)
        self._text.clear()
        self._length = 0
        if tag in self.records and record is not None:
            self._ready.append(record)
            self._below = self._outside(record.around)
        elif self._below:
            self._below.pop()

    def _keep(self, record: Record | None, text: str) -> None:
        if record is None:
            self._heads += 1
            if self._heads > _LEAVES_MAX:
                raise self.wrong(f"报文头里有 {_LEAVES_MAX} 个以上的值")
            self.head.setdefault("/".join(self._below[1:]), text)
            return
        if len(record.texts) >= _LEAVES_MAX:
            raise self.wrong(f"一笔里有 {_LEAVES_MAX} 个以上的值")
        record.texts.setdefault("/".join(self._below), text)

    def _outside(self, around: Record | None) -> list[str]:
        """The path below the record around (or from the top), once a record inside has ended."""
        tags = [tag for tag, _ in self._path]
        if around is None:
            return tags
        begun = max(at for at, (tag, record) in enumerate(self._path) if record is around and tag == around.tag)
        return tags[begun + 1 :]

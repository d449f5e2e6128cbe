"""Records as lines and back: separated by a mark and a separator, of fixed width, or a table with a line of titles.

in    a format, a record, columns of texts; or the raw lines of one kind
out   encoded lines; or columns of texts. BadInput with the line for what is not of that shape

A line of fixed width is counted in bytes: texts stand left and are filled with blanks, numbers stand right and are
filled with zeros. Lines are split before they are decoded (no byte of a Han character is a line end in GBK, GB18030 or
UTF-8), fields of separated lines after, because 0x7C may be the second byte of a Han character.
"""

from collections.abc import Sequence

from huimin.kernel.bankfile.describing import Format, Record
from huimin.kernel.bankfile.fields import Field
from huimin.kernel.errors import BadInput

FOR_THE_BANK = "整份不收，不要自己改文件；请告诉银行，由银行更正后重发"
"""What to do about a file of a bank that is not as agreed: whoever takes it must not mend it."""
_NUMBERS = ("int", "yuan")


def encode_lines(form: Format, record: Record, columns: Sequence[Sequence[str]], title: str, first_line: int) -> bytes:
    """Lines of checked columns; BadInput for a character the encoding has not, or a field that is too wide."""
    if form.layout == "fixed":
        parts = [
            _filled(form, field, column, title, first_line)
            for field, column in zip(record.fields, columns, strict=True)
        ]
        begins, ends = record.mark.encode(), form.line_ending.encode()
        return b"".join(begins + b"".join(values) + ends for values in zip(*parts, strict=True))
    opening = record.mark + form.separator if record.mark else ""
    text = "".join(opening + form.separator.join(values) + form.line_ending for values in zip(*columns, strict=True))
    try:
        return text.encode(form.encoding)
    except UnicodeEncodeError as wrong:
        line = text.count(form.line_ending, 0, wrong.start) + first_line
        raise _unwritable(title, line) from None


def _filled(form: Format, field: Field, column: Sequence[str], title: str, first_line: int) -> list[bytes]:
    made = []
    for at, text in enumerate(column):
        try:
            value = text.encode(form.encoding)
        except UnicodeEncodeError:
            raise _unwritable(title, first_line + at) from None
        if len(value) > field.width:
            raise BadInput(
                f"超过 {field.width} 个字节",
                where=f"{title} 第{first_line + at}行 {field.title}",
                remedy="请按格式说明更正",
            )
        number = field.kind in _NUMBERS and text
        made.append(value.rjust(field.width, b"0") if number else value.ljust(field.width))
    return made


def _unwritable(title: str, line: int) -> BadInput:
    return BadInput("有无法编码的字符", where=f"{title} 第{line}行", remedy="请核对姓名中的字")


def decode_lines(form: Format, record: Record, raw: Sequence[bytes], name: str, first_line: int) -> list[list[str]]:
    """One column of texts a field."""
    if form.layout == "fixed":
        return _cut(form, record, raw, name, first_line)
    text = _decoded(form, raw, name, first_line)
    lines = text.split(form.line_ending)[:-1]
    return _split(form, record, lines, name, first_line)


def _decoded(form: Format, raw: Sequence[bytes], name: str, first_line: int) -> str:
    data = b"".join(raw)
    try:
        return data.decode(form.encoding)
    except UnicodeDecodeError as wrong:
        raise not_encoded(form, name, first_line + data.count(b"\n", 0, wrong.start)) from None


def not_encoded(form: Format, name: str, line: int) -> BadInput:
    return BadInput(f"不是 {form.encoding.upper()} 编码", where=f"{name} 第{line}行", remedy="请银行按约定编码重发")


def _split(form: Format, record: Record, lines: Sequence[str], name: str, first_line: int) -> list[list[str]]:
    marked = 1 if record.mark else 0
    width = len(record.fields) + marked
    split = [line.split(form.separator) for line in lines]
    for number, values in enumerate(split, first_line):
        if len(values) != width or (marked and values[0] != record.mark):
            opening = f"，以 {record.mark} 开头" if marked else ""
            raise BadInput(
                f"应有 {width} 栏{opening}；实有 {len(values)} 栏",
                where=f"{name} 第{number}行",
                remedy=FOR_THE_BANK,
            )
    return [[values[at] for values in split] for at in range(marked, width)]


def _cut(form: Format, record: Record, raw: Sequence[bytes], name: str, first_line: int) -> list[list[str]]:
    opening, ending = record.mark.encode(), form.line_ending.encode()
    width = len(opening) + sum(field.width for field in record.fields)
    for number, line in enumerate(raw, first_line):
        if len(line) != width + len(ending) or not line.startswith(opening) or not line.endswith(ending):
            begins = f"、以 {record.mark} 开头" if opening else ""
            raise BadInput(
                f"应为 {width} 个字节{begins}的定长行，实有 {len(line.removesuffix(ending))} 个字节",
                where=f"{name} 第{number}行", remedy=FOR_THE_BANK,
            )  # fmt: skip
    columns, at = [], len(opening)
    for field in record.fields:
        columns.append(
            [_unfilled(form, field, line[at : at + field.width], name, n) for n, line in enumerate(raw, first_line)]
        )
        at += field.width
    return columns


def _unfilled(form: Format, field: Field, value: bytes, name: str, line: int) -> str:
    try:
        text = value.decode(form.encoding).rstrip(" ")
    except UnicodeDecodeError:
        raise BadInput(
            f"{field.title}里有半个汉字或不是 {form.encoding.upper()} 编码", where=f"{name} 第{line}行",
            remedy="请银行按约定编码和栏宽重发",
        ) from None  # fmt: skip
    if field.kind in _NUMBERS and text:
        text = text.lstrip("0")
        return "0" + text if not text or text.startswith(".") else text
    return text


def title_line(form: Format, record: Record) -> bytes:
    """The first line of a table."""
    titles = form.separator.join(field.title for field in record.fields)
    return (titles + form.line_ending).encode(form.encoding)


def check_titles(form: Format, record: Record, raw: bytes, name: str) -> None:
    """The table's columns are those described, in their order."""
    found = _decoded(form, [raw], name, 1).removesuffix(form.line_ending).split(form.separator)
    wanted = [field.title for field in record.fields]
    for at, title in enumerate(wanted):
        if at >= len(found) or found[at] != title:
            raise BadInput(f"第 {at + 1} 栏应是“{title}”", where=f"{name} 第1行", remedy="请用约定的栏目和次序")
    if len(found) > len(wanted):
        raise BadInput(f"多出 {len(found) - len(wanted)} 栏", where=f"{name} 第1行", remedy="请用约定的栏目和次序")

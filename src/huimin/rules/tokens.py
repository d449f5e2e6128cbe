"""Words and signs of an expression, with their places.

in    one expression as typed, full-width signs and 且 或 非 included
out   tokens; a fault where a character belongs to nothing

Always true: token offsets are offsets into the text as typed, since signs are replaced one for one.
"""

import re
from dataclasses import dataclass
from enum import Enum

from huimin.rules.faults import FaultFound, Source

LENGTH_MAX = 2_000
_WIDE = str.maketrans(
    "（）［］，、；：＜＞＝＋－−–＊×／÷％．！≥≤≠“”‘’「」＂＇　０１２３４５６７８９",
    '()[],,;:<>=+---**//%.!≥≤≠""\'\'"""\' 0123456789',
)
_WORDS_OF_SIGNS = {
    "且": "and", "并且": "and", "而且": "and", "或": "or", "或者": "or", "非": "not", "不": "not",
    "属于": "in", "不属于": "not in", "and": "and", "or": "or", "not": "not", "in": "in",
}  # fmt: skip
WORD = r"[A-Za-z_〇一-鿿㐀-䶿][A-Za-z0-9_〇·一-鿿㐀-䶿]*"
_PATTERN = re.compile(
    r"""(?P<date>\d{4}-\d{2}-\d{2}(?!\d)|\d{4}年\d{1,2}月\d{1,2}日)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_〇一-鿿㐀-䶿][A-Za-z0-9_〇·一-鿿㐀-䶿]*)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<sign><=|>=|==|!=|<>|&&|\|\||[≥≤≠<>=+\-*/%(),])
      | (?P<space>\s+)""",
    re.VERBOSE,
)
_DOTTED = re.compile(r"\d{4}\.\d{1,2}$")
_SAME_SIGN = {"≥": ">=", "≤": "<=", "≠": "!=", "<>": "!=", "=": "==", "&&": "and", "||": "or"}


class Kind(Enum):
    NUMBER = "数"
    DATE = "日期"
    WORD = "名称"
    TEXT = "文字"
    SIGN = "符号"
    END = "结尾"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is normalised (>= for ≥, and for 且); `start` and `end` are offsets into the text as typed."""

    kind: Kind
    text: str
    start: int
    end: int


def tokenize(source: Source) -> list[Token]:
    """All tokens, an END last. Raises FaultFound at the first character that belongs to nothing."""
    if len(source.text) > LENGTH_MAX:
        raise FaultFound(source, 0, f"算式长 {len(source.text)} 字，超过 {LENGTH_MAX} 字", "请拆成几个有名称的数值")
    text, at, tokens = source.text.translate(_WIDE), 0, []
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            raise _stray(source, text, at)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        at = match.end()
    tokens.append(Token(Kind.END, "", len(text), len(text)))
    return tokens


def _token(match: re.Match[str]) -> Token:
    group, text = match.lastgroup, match.group()
    kind = {"date": Kind.DATE, "number": Kind.NUMBER, "word": Kind.WORD, "text": Kind.TEXT}.get(group or "", Kind.SIGN)
    if kind is Kind.WORD and text in _WORDS_OF_SIGNS:
        return Token(Kind.SIGN, _WORDS_OF_SIGNS[text], match.start(), match.end())
    if kind is Kind.SIGN:
        text = _SAME_SIGN.get(text, text)
    return Token(kind, text, match.start(), match.end())


def _stray(source: Source, text: str, at: int) -> FaultFound:
    if text[at] in "\"'":
        return FaultFound(source, at, "引号没有配对", "请在文字末尾补上同样的引号")
    if text[at] == "." and _DOTTED.search(text[:at]):
        return FaultFound(source, at, f"不认识的字符“{source.text[at]}”", "日期写成 2026-06-30")
    remedy = "算式里只用 + - * / < <= > >= = != 括号、逗号和名称"
    return FaultFound(source, at, f"不认识的字符“{source.text[at]}”", remedy)

"""Small texts every paper shares: days as papers write them, codes that can be read aloud, long words that may wrap."""

import re
from datetime import date

CODE_DIGITS = 16
_LONG_RUN = re.compile(r"[!-~]{13,}")
_PIECE = 12
_ZERO_WIDTH_SPACE = "\u200b"


def day_in_words(day: date) -> str:
    """`2021年9月30日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def code_of(digest_hex: str) -> str:
    """The first 16 hex digits of a digest in fours, for reading aloud: `7f3a-90c1-…`."""
    return "-".join(digest_hex[at : at + 4] for at in range(0, CODE_DIGITS, 4))


def wrappable(text: str) -> str:
    """Han breaks anywhere; a run of more than 12 Latin letters gets places to break, else it runs into the next cell."""
    return _LONG_RUN.sub(lambda run: _ZERO_WIDTH_SPACE.join(_pieces(run.group())), text)


def _pieces(run: str) -> list[str]:
    return [run[at : at + _PIECE] for at in range(0, len(run), _PIECE)]

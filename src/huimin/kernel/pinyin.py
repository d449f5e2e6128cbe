"""Pinyin keys for sorting and typing: the database sorts bytes, so Chinese is sorted by a key stored beside it.

in    a name of a person or a place
out   lower-case ASCII syllables with a space between, no tones: `zhang wei`, `mei shan zhen`

Always true: the same text gives the same key; every character gives something, one without a known reading gives its
code point, so that nothing sorts as if it were empty. Limits: surnames are read as surnames (单 shan, 仇 qiu), other
characters by their most frequent reading.
"""

from functools import cache

# Surnames whose reading differs from the frequent one.
_SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "查": "zha", "盖": "ge", "区": "ou", "解": "xie", "任": "ren",
    "华": "hua", "宁": "ning", "朴": "piao", "乐": "yue", "覃": "qin", "翟": "zhai", "种": "chong", "缪": "miao",
    "折": "she", "员": "yun", "尉": "wei", "万": "wan", "召": "shao", "纪": "ji", "冼": "xian", "洗": "xian",
    "晟": "cheng", "逄": "pang", "哈": "ha", "黑": "he", "都": "du", "卜": "bu", "祭": "zhai", "那": "na",
    "尉迟": "yu chi", "万俟": "mo qi", "长孙": "zhang sun", "单于": "chan yu", "澹台": "tan tai", "鲜于": "xian yu",
}  # fmt: skip


@cache
def _syllable(character: str) -> str:
    """One character's most frequent reading; Latin letters and digits stand for themselves."""
    if character.isascii():
        return character.lower()
    from pypinyin import lazy_pinyin  # loads its dictionaries, half a second that most commands need not spend

    read = lazy_pinyin(character, errors="ignore")
    return str(read[0]) if read else f"u{ord(character):x}"


def pinyin_key(text: str) -> str:
    """Key of a place or any other text."""
    return " ".join(_syllable(character) for character in text if not character.isspace())


def person_key(name: str) -> str:
    """Key of a person's name, with the surname read as a surname."""
    for length in (2, 1):
        surname = _SURNAMES.get(name[:length])
        if surname and len(name) > length:
            return f"{surname} {pinyin_key(name[length:])}"
    return pinyin_key(name)


def compact(key: str) -> str:
    """A key without spaces, as one types it: `meishanzhen`."""
    return key.replace(" ", "")

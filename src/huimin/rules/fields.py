"""Fields of a policy file that are read the same way wherever they stand.

in    entries of one YAML file
out   texts, days, division codes, yes or no; or FaultFound at the place
"""

import re
from collections.abc import Mapping
from datetime import date

from huimin.rules.faults import FaultFound
from huimin.rules.values import NO, YES
from huimin.rules.yaml_text import Entry


def field_of(entry: Entry, fields: Mapping[str, Entry], key: str) -> Entry:
    if key not in fields:
        raise FaultFound(entry.at, 0, f"这里缺少“{key}”", f"请补上 {key}: …")
    return fields[key]


def text_of(fields: Mapping[str, Entry], key: str) -> str:
    return fields[key].words(key).text.strip() if key in fields else ""


def day_of(entry: Entry) -> date:
    words = entry.words("日期")
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words.text.strip(), re.ASCII):
            return date.fromisoformat(words.text.strip())
    except ValueError:
        pass  # no such day, or the year 0
    raise FaultFound(words, 0, f"“{words.text[:40]}”不是日期", "日期写成 2021-07-01")


def division_of(entry: Entry) -> str:
    words = entry.words("区划")
    code = words.text.strip()
    if not (code.isascii() and code.isdigit() and len(code) in (12, 15)):
        raise FaultFound(words, 0, f"“{code}”不是区划代码", '区划代码是 12 位数字（村民组 15 位），例如 "341524000000"')
    return code


def is_yes(entry: Entry) -> bool:
    words = entry.words("是否")
    if words.text.strip() not in (*YES, *NO):
        raise FaultFound(words, 0, f"“{words.text}”应当是“是”或“否”", "请写 是 或 否")
    return words.text.strip() in YES

"""Where the commands of `./huimin policy` read from: a folder of files, or the texts adopted in this instance.

in    --folder, --adopted, --place, --date as typed
out   texts by path, chains of places with names, dates; or BadInput in one sentence

Without --adopted nothing here touches a database or Django. The clock is read here, at the edge: the commands take a date.
"""

import csv
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import click

from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import NATION, chain
from huimin.policy.exchange import read_bundle
from huimin.rules import Book, read_book, read_book_texts

ROOT = Path(__file__).resolve().parents[3]
POLICY_FOLDER = ROOT / "policy"
DIVISIONS = ROOT / "data" / "divisions.csv"
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Source:
    """Texts by path, the book read from them, and where they came from in words."""

    texts: dict[str, str]
    book: Book
    words: str


def source_options(command: F) -> F:
    """--folder and --adopted."""
    folder = click.option("--folder", type=click.Path(path_type=Path), default=POLICY_FOLDER, help="政策文件夹或 zip")
    adopted = click.option("--adopted", is_flag=True, help="读本实例已采用的政策（须有数据库），不读文件夹")
    return folder(adopted(command))


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序使用")(command)


def read_source(folder: Path, adopted: bool) -> Source:
    """Raises PolicyFaults for what is wrong in the texts, Refusal when there is nothing to read."""
    texts = adopted_texts() if adopted else read_bundle(folder)
    return Source(texts, read_book_texts(texts), "本实例已采用的政策" if adopted else folder.name)


def read_book_of(folder: Path, adopted: bool) -> Book:
    """The same without the texts; faults in a folder name its files as they stand there."""
    return read_book(folder) if folder.is_dir() and not adopted else read_source(folder, adopted).book


def adopted_texts() -> dict[str, str]:
    """Path → text of the policies in use in this instance, read on the maintenance connection."""
    use_database()
    from huimin.policy.queries import texts_in_use

    texts = texts_in_use(using="maintenance")
    if not texts:
        raise Refusal("本实例还没有采用政策", remedy="请先执行 ./huimin policy import，或去掉 --adopted 读文件夹")
    return texts


def use_database() -> None:
    """Set Django up on this instance's database; a Refusal when it has none."""
    from huimin.database import instance

    named = os.environ.get("HUIMIN_DB_NAME") or os.environ.get("DATABASE_URL")
    if not named and instance.remembered_database() is None:
        raise Refusal("还没有数据库", remedy="请先执行 ./huimin db up 或 make demo，或去掉 --adopted 读文件夹")
    instance.use_instance()


# -- places and dates


def places_of(code: str) -> tuple[str, ...]:
    if not (code.isascii() and code.isdigit() and len(code) in (12, 15)):
        raise BadInput(
            f"“{code}”不是区划代码", where="--place", remedy="写 12 位数字（村民组 15 位），例如 341524100000"
        )
    return chain(code)


def day_of(text: str | None) -> date:
    """The date as written; today in China when none is."""
    if text is None:
        return datetime.now(ZoneInfo("Asia/Shanghai")).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text}”不是日期", where="--date", remedy="日期写成 2026-06-01") from None


def names_of_places(codes: Iterable[str]) -> dict[str, str]:
    """Code → name from the file of divisions, in the order given; the code itself for one that is not in it."""
    codes = tuple(codes)
    names = {NATION: "全国"}
    if DIVISIONS.exists():
        with DIVISIONS.open(encoding="utf-8", newline="") as file:
            names |= {row["code"]: row["name"] for row in csv.DictReader(file) if row["code"] in codes}
    return {code: names.get(code, code) for code in codes}

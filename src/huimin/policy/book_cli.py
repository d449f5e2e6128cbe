"""`policy explain` and `policy check`: the policies from their files, no database.

in    the policy folder, a place, a date, one household's facts as JSON
out   JSON on standard output; or one sentence on standard error and exit code 2 (explain), 1 (check)

The folder is `policy/` at the root of the project unless --folder says otherwise.
"""

import json
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import click

from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import chain
from huimin.rules import Book, Programme, explain, read_book, run_cases
from huimin.rules.faults import nearest

POLICY_FOLDER = Path(__file__).resolve().parents[3] / "policy"
FACTS_BYTES_MAX = 1_000_000


class _NoJson(ValueError):
    """A constant or a repeated name that JSON readers disagree about."""


@click.group("policy")
def policy() -> None:
    """政策：解释一户的认定结果，检查政策文件。"""


@policy.command("explain")
@click.option("--place", required=True, help="区划代码（12 位，村民组 15 位）")
@click.option("--date", "on", required=True, help="认定日期，例如 2026-06-01")
@click.option("--facts", "facts_file", required=True, help='事实文件 {"户": {…}, "成员": [{…}]}；写 - 从标准输入读')
@click.option("--programme", default=None, help="只解释这个项目")
@click.option("--set", "settings", multiple=True, metavar="参数=数值", help="仅此一次改用的参数，可写多次")
@click.option("--folder", type=click.Path(path_type=Path), default=POLICY_FOLDER, help="政策文件夹")
def explain_command(
    place: str, on: str, facts_file: str, programme: str | None, settings: tuple[str, ...], folder: Path
) -> None:
    """这一户在这一天符合哪些项目、多少钱、为什么。"""
    try:
        told = _explained(place, on, facts_file, programme, settings, folder)
    except Refusal as refusal:
        _refuse(refusal)
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


@policy.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=POLICY_FOLDER)
def check_command(folder: Path) -> None:
    """读入全部政策文件并运行案例；有任何差错即以非零退出。"""
    try:
        book = read_book(folder)
    except Refusal as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(1)
    results = run_cases(book)
    failed = [result for result in results if not result.passed]
    for result in failed:
        click.echo(f"{result.where}：项目 {result.programme} 的案例“{result.case}”不符：{result.fault}", err=True)
    conditions = sum(len(layer.conditions) for layer in book.layers)
    click.echo(
        f"项目 {len(book.codes)} 个，文件层 {len(book.layers)} 个，条件 {conditions} 条，"
        f"参数值 {len(book.parameters)} 个，案例 {len(results)} 个，不符 {len(failed)} 个"
    )
    sys.exit(1 if failed else 0)


def _refuse(refusal: Refusal) -> NoReturn:
    click.echo(str(refusal), err=True)
    sys.exit(2)


def _explained(
    place: str, on: str, facts_file: str, only: str | None, settings: tuple[str, ...], folder: Path
) -> dict[str, object]:
    day, places = _day(on), _places(place)
    overrides = _settings(settings)
    household, members = _read_facts(facts_file)
    book = read_book(folder)
    _refuse_unknown_programme(book, only)
    programmes = book.programmes_in_force(places, day, overrides, only=only)
    results: list[object] = []
    for programme in programmes:
        results += _results(programme, household, members, day)
    return {"place": place, "date": day.isoformat(), "results": results}


def _results(
    programme: Programme, household: Mapping[str, object], members: list[Mapping[str, object]], day: date
) -> list[object]:
    results = explain(programme, household, members, day)["results"]
    assert isinstance(results, list)
    return results


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text}”不是日期", where="--date", remedy="日期写成 2026-06-01") from None


def _places(code: str) -> tuple[str, ...]:
    if not (code.isascii() and code.isdigit() and len(code) in (12, 15)):
        raise BadInput(
            f"“{code}”不是区划代码", where="--place", remedy="写 12 位数字（村民组 15 位），例如 341524100000"
        )
    return chain(code)


def _settings(settings: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for setting in settings:
        name, separator, value = setting.replace("＝", "=").partition("=")
        if not separator or not name.strip() or not value.strip():
            raise BadInput(f"“{setting}”不是 参数=数值", where="--set", remedy="写成例如 --set 低保标准=700")
        if name.strip() in found:
            raise BadInput(f"参数“{name.strip()}”写了两次", where="--set", remedy="请只写一次")
        found[name.strip()] = value.strip()
    return found


def _refuse_unknown_programme(book: Book, code: str | None) -> None:
    if code is not None and code not in book.codes:
        near = nearest(code, book.codes) or f"可写的有：{'、'.join(book.codes)}"
        raise BadInput(f"没有“{code}”这个项目", where="--programme", remedy=near)


# -- facts


def _read_facts(name: str) -> tuple[dict[str, object], list[Mapping[str, object]]]:
    """The household and its members out of the JSON; BadInput names the place."""
    where = "标准输入" if name == "-" else name
    facts = _parsed(_text_of(name, where), where)
    if not isinstance(facts, dict):
        raise BadInput("事实应当是一个对象", where=where, remedy='写成 {"户": {…}, "成员": [{…}]}')
    for key in facts:
        if key not in ("户", "成员"):
            raise BadInput(f"不认识“{key}”", where=where, remedy='只写 "户" 和 "成员" 两项')
    household, members = facts.get("户", {}), facts.get("成员", [])
    if not isinstance(household, dict):
        raise BadInput("“户”应当是一个对象", where=f"{where} 户", remedy='写成 "户": {"存款": 0}')
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise BadInput("“成员”应当是一列对象", where=f"{where} 成员", remedy='写成 "成员": [{"与户主关系": "户主"}]')
    return household, members


def _text_of(name: str, where: str) -> str:
    try:
        raw = sys.stdin.buffer.read(FACTS_BYTES_MAX + 1) if name == "-" else _bytes_of(Path(name))
    except OSError:
        raise BadInput("读不到事实文件", where=where, remedy="请检查文件名和权限，或写 - 从标准输入读") from None
    if len(raw) > FACTS_BYTES_MAX:
        raise BadInput("事实文件过大", where=where, remedy="一次只解释一户，不超过 1 MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("文件不是 UTF-8 编码", where=where, remedy="请另存为 UTF-8 再试") from None


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FACTS_BYTES_MAX + 1)


def _parsed(text: str, where: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        spot = f"{where} 第 {error.lineno} 行第 {error.colno} 列"
        raise BadInput("JSON 写法不对", where=spot, remedy="请检查引号、逗号和括号，标点须用半角") from None
    except (_NoJson, ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, _NoJson) else "JSON 里的数过长或层次过深"
        raise BadInput(what, where=where, remedy="请改正后再试；不详写 null") from None


def _no_constant(word: str) -> NoReturn:
    raise _NoJson(f"{word} 不是数")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _NoJson(f"“{key}”写了两次")
        found[key] = value
    return found

"""`./huimin policy`: the group, with `explain` and `check`; `list` and `show`, `export` and `import` have files of their own.

in    the policy folder (or with --adopted the instance's texts), a place, a date, one household's facts as JSON
out   tables or JSON on standard output; or one sentence on standard error and exit code 2 (1 for check)

The folder is `policy/` at the root of the project unless --folder says otherwise; no database is touched without --adopted.
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
from huimin.policy.cli_sources import POLICY_FOLDER, day_of, json_option, places_of, read_book_of, source_options
from huimin.policy.exchange_cli import export_command, import_command
from huimin.policy.reading_cli import list_command, print_explained, show_command
from huimin.rules import Book, CaseResult, PolicyFaults, Programme, explain, few_cases, few_cases_words, run_cases
from huimin.rules.faults import nearest

FACTS_BYTES_MAX = 1_000_000


class _NoJson(ValueError):
    """A constant or a repeated name that JSON readers disagree about."""


class _Sentences(click.Group):
    """Refusals of any command end in their sentence and exit code 2, in tests as on the command line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(2)


@click.group("policy", cls=_Sentences)
def policy() -> None:
    """政策：清单、检查、解释一户的认定结果、导出和导入。"""


for each in (list_command, show_command, export_command, import_command):
    policy.add_command(each)


@policy.command("explain")
@click.option("--place", required=True, help="区划代码（12 位，村民组 15 位）")
@click.option("--date", "on", required=True, help="认定日期，例如 2026-06-01")
@click.option("--facts", "facts_file", required=True, help='事实文件 {"户": {…}, "成员": [{…}]}；写 - 从标准输入读')
@click.option("--programme", default=None, help="只解释这个项目")
@click.option("--set", "settings", multiple=True, metavar="参数=数值", help="仅此一次改用的参数，可写多次")
@source_options
@click.option("--json/--table", "as_json", default=False, help="输出 JSON，供程序使用；不写是给人看的表格")
def explain_command(
    place: str, on: str, facts_file: str, programme: str | None, settings: tuple[str, ...], folder: Path, adopted: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """这一户在这一天符合哪些项目、多少钱、为什么。"""
    day, places = day_of(on), places_of(place)
    overrides = _settings(settings)
    household, members = _read_facts(facts_file)
    book = read_book_of(folder, adopted)
    _refuse_unknown_programme(book, programme)
    results: list[dict[str, object]] = []
    laws = book.programmes_in_force(places, day, overrides, only=programme)
    for law in laws:
        results += _results(law, household, members, day)
    if as_json:
        told = {"place": place, "date": day.isoformat(), "results": results}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif not laws:
        click.echo(f"{place}、{day} " + (f"项目 {programme} 没有施行" if programme else "没有施行的项目"))
    elif not results:
        click.echo("按人的项目逐人认定，事实里没有写成员")
    else:
        print_explained(results)


@policy.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=POLICY_FOLDER)
@click.option("--adopted", is_flag=True, help="检查本实例已采用的政策（须有数据库）")
@json_option
def check_command(folder: Path, adopted: bool, as_json: bool) -> None:
    """读入全部政策文件并运行案例；有任何差错即以非零退出。"""
    try:
        book = read_book_of(folder, adopted)
    except PolicyFaults as found:
        click.echo(
            json.dumps({"faults": _faults(found)}, ensure_ascii=False) if as_json else str(found), err=not as_json
        )
        sys.exit(1)
    except Refusal as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(1)
    results, few = run_cases(book), few_cases_words(book)
    failed = [result for result in results if not result.passed]
    if as_json:
        click.echo(json.dumps(_counted(book, len(results), failed), ensure_ascii=False))
        sys.exit(1 if failed or few else 0)
    for sentence in few:
        click.echo(f"{sentence}。", err=True)
    for result in failed:
        click.echo(f"{result.where}：项目 {result.programme} 的案例“{result.case}”不符：{result.fault}", err=True)
    conditions = sum(len(layer.conditions) for layer in book.layers)
    click.echo(
        f"项目 {len(book.codes)} 个，文件层 {len(book.layers)} 个，条件 {conditions} 条，"
        f"参数值 {len(book.parameters)} 个，案例 {len(results)} 个，不符 {len(failed)} 个"
        + (f"，已由新版替代 {replaced} 个" if (replaced := sum(bool(result.superseded) for result in results)) else "")
    )
    sys.exit(1 if failed or few else 0)


def _faults(found: PolicyFaults) -> list[dict[str, object]]:
    return [
        {"file": f.file, "line": f.line, "column": f.column, "what": f.what, "remedy": f.remedy} for f in found.faults
    ]


def _counted(book: Book, cases: int, failed: list[CaseResult]) -> dict[str, object]:
    return {
        "faults": [], "few_cases": few_cases(book), "programmes": len(book.codes), "layers": len(book.layers), "cases": cases,
        "conditions": sum(len(layer.conditions) for layer in book.layers), "parameters": len(book.parameters),
        "failed": [
            {"programme": each.programme, "case": each.case, "where": each.where, "fault": each.fault} for each in failed
        ],
    }  # fmt: skip


def _results(
    programme: Programme, household: Mapping[str, object], members: list[Mapping[str, object]], day: date
) -> list[dict[str, object]]:
    results = explain(programme, household, members, day)["results"]
    assert isinstance(results, list)
    return results


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

"""`./huimin policy list` and `show`: what policies there are, and one of them on a page, at a place on a day (POL-01).

in    the policy folder, or with --adopted the instance's texts; a place and a date
out   tables for people, or with --json one object for programs

Without --place `list` tells which programmes are written and where; with it, how they stand there, as the published list
does. Numbers and words are those of `policy.showing`, which the pages use too.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan_plain
from huimin.kernel.places import NATION
from huimin.policy.cli_sources import (
    Source,
    day_of,
    json_option,
    names_of_places,
    places_of,
    read_source,
    source_options,
)  # fmt: skip
from huimin.policy.showing import Policy, Shelf
from huimin.policy.written import Standard, read_texts
from huimin.rules.faults import nearest

WIDTH = 160  # when nobody looks at a terminal


@dataclass(frozen=True)
class Overview:
    """One programme wherever it is written: its places, the first day, how many worked cases."""

    code: str
    name: str
    department: str
    unit: str
    period: str
    places: tuple[str, ...]
    since: date
    cases: int


@click.command("list")
@click.option("--place", default=None, help="区划代码；写了就列出当地这一天的情况和标准")
@click.option("--date", "on", default=None, help="日期，例如 2026-06-01；不写为今天")
@source_options
@json_option
def list_command(place: str | None, on: str | None, folder: Path, adopted: bool, as_json: bool) -> None:
    """政策清单：有哪些项目、在哪里、标准多少、是否施行。"""
    day, places = day_of(on), places_of(place) if place else ()
    source = read_source(folder, adopted)
    if not place:
        _tell_overviews(overviews(source), source, as_json)
        return
    policies = _shelf(source, places, day).policies()
    if as_json:
        _say({"place": place, "date": day.isoformat(), "policies": [_brief(policy) for policy in policies]})
    else:
        _print(_list_table(policies, f"{' '.join(names_of_places(places).values())} {day}，{source.words}"))


@click.command("show")
@click.argument("code")
@click.option("--place", default=NATION, help="区划代码；不写为全国的文本")
@click.option("--date", "on", default=None, help="日期，例如 2026-06-01；不写为今天")
@source_options
@json_option
def show_command(code: str, place: str, on: str | None, folder: Path, adopted: bool, as_json: bool) -> None:
    """一个项目的全部内容：对象、条件、标准、金额、依据、材料、沿革。"""
    day, places = day_of(on), places_of(place)
    source = read_source(folder, adopted)
    if code not in source.book.codes:
        near = nearest(code, source.book.codes) or f"可写的有：{'、'.join(source.book.codes)}"
        raise BadInput(f"没有“{code}”这个项目", where="项目编码", remedy=near)
    shelf = _shelf(source, places, day)
    policy = shelf.find(code)
    if policy is None:
        where = names_of_places({layer.division for layer in source.book.layers if layer.programme == code})
        told = "、".join(f"{name} {division}" for division, name in sorted(where.items()))
        raise BadInput(f"项目 {code} 在这里没有文本", where=f"--place {place}", remedy=f"写明的地方有：{told}")
    if as_json:
        _say({"place": place, "date": day.isoformat(), **_full(policy, shelf)})
    else:
        _print(*_page(policy, shelf))


def overviews(source: Source) -> list[Overview]:
    """Every programme of the source, by code."""
    names, files, found = _shelf(source, (NATION,), date.min).names, read_texts(source.texts).files, []
    for code in source.book.codes:
        layers = [layer for layer in source.book.layers if layer.programme == code]
        written = {key: value for file in files if file.code == code for key, value in file.plain.items()}
        found.append(
            Overview(
                code,
                names.get(code, code),
                *(str(written.get(key, "")) for key in ("主管部门", "对象", "期间")),
                places=tuple(sorted({layer.division for layer in layers})),
                since=min(layer.valid_from for layer in layers),
                cases=sum(len(layer.cases) for layer in layers),
            )
        )
    return found


def _shelf(source: Source, places: tuple[str, ...], on: date) -> Shelf:
    return Shelf(source.book, read_texts(source.texts), names_of_places(places), on, {})


# -- for programs


def _say(told: object) -> None:
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _brief(policy: Policy) -> dict[str, object]:
    return {
        "code": policy.code,
        "name": policy.name,
        "abbreviation": policy.field("简称"),
        "department": policy.field("主管部门"),
        "unit": policy.field("对象"),
        "period": policy.field("期间"),
        "payout": policy.field("发放"),
        "status": policy.status,
        "missing": list(policy.missing),
        "version": policy.version,
        "standards": _standards(policy, paid=True),
    }


def _standards(policy: Policy, *, paid: bool) -> list[dict[str, object]]:
    return [
        {
            "name": name, "unit": unit, "value": each.words, "place": each.place, "since": each.since.isoformat(),
            "source": each.source, "assumption": each.assumption,
        }
        for name, unit, values in policy.standards(paid=paid)
        for each in values
    ]  # fmt: skip


def _full(policy: Policy, shelf: Shelf) -> dict[str, object]:
    return {
        **_brief(policy),
        "basis": policy.field("依据"),
        "payee": policy.field("收款"),
        "conditions": [
            {"id": each.key, "text": each.text, "expression": each.expression, "basis": each.citation, "paper": each.paper}
            for each in policy.conditions
        ],
        "values": [{"name": name, "expression": written, "basis": law} for name, _, written, law in policy.values],
        "exclusions": [list(each) for each in policy.exclusions],
        "limits": _standards(policy, paid=False),
        "amount": {str(key): value for key, value in policy.state.amount.items()},
        "phase_out": _phase_out(policy),
        "papers": list(policy.papers),
        "history": [
            {"date": step.on.isoformat(), "changes": [str(change) for change in step.changes], "files": list(step.paths)}
            for step in shelf.history(policy.code)
        ],
        "files": [file.path for file in policy.state.layers],
    }  # fmt: skip


def _phase_out(policy: Policy) -> dict[str, object] | None:
    found = policy.phase_out
    if found is None:
        return None
    return {
        "triggers": list(found.triggers), "months": found.months, "worth": found.worth, "shares": dict(found.shares),
        "premise": str(policy.state.others["渐退"].get("前提", "")), "basis": found.basis,
    }  # fmt: skip


# -- for people


def _print(*parts: object) -> None:
    """Texts of policies are words, never markup."""
    wide = None if sys.stdout.isatty() else WIDTH
    console = Console(highlight=False, markup=False, width=wide)
    for part in parts:
        console.print(part)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _tell_overviews(found: list[Overview], source: Source, as_json: bool) -> None:
    if as_json:
        _say({"policies": [{**each.__dict__, "since": each.since.isoformat()} for each in found]})
        return
    names = names_of_places({place for each in found for place in each.places})
    table = _table(
        f"{source.words}：{len(found)} 个项目", "编码", "名称", "主管部门", "对象", "期间", "地方", "自", "案例"
    )
    for each in found:
        told = "、".join(names[place] for place in each.places)
        row = (each.code, each.name, each.department, each.unit, each.period, told, str(each.since), str(each.cases))
        table.add_row(*row)
    _print(table)


def _list_table(policies: list[Policy], title: str) -> Table:
    table = _table(title, "编码", "名称", "主管部门", "对象", "期间", "标准", "状态")
    for policy in policies:
        paid = [each for _, _, values in policy.standards(paid=True) for each in values[-1:]]
        table.add_row(
            policy.code, policy.name, policy.field("主管部门"), policy.field("对象"), policy.field("期间"),
            "\n".join(_standard_words(each) for each in paid), policy.status_words,
        )  # fmt: skip
    return table


def _standard_words(standard: Standard) -> str:
    return f"{standard.name} {standard.words}" + ("（示例假设）" if standard.assumption else "")


def _page(policy: Policy, shelf: Shelf) -> Iterable[object]:
    yield Text(f"{policy.name}（{policy.code}，{policy.field('简称')}）  {policy.status_words}", style="bold")
    yield f"{' '.join(shelf.places.values())}，{shelf.on}" + (f"，版本 {policy.version}" if policy.version else "")
    yield f"主管部门：{policy.field('主管部门')}　到{policy.field('对象')}　按{policy.field('期间')}计　{policy.payout_words}"
    yield f"依据：{policy.field('依据')}"
    conditions = _table("条件", "编号", "说明", "算式", "依据", "材料", "来自")
    for each in policy.conditions:
        conditions.add_row(each.key, each.text, each.expression, each.citation, each.paper, each.place)
    for told, meaning, law in policy.exclusions:
        conditions.add_row("排除", f"不与{told}同时享受。{meaning}", "", law, "", "")
    yield conditions
    if policy.values:
        yield _values_table(policy)
    yield _standards_table(policy, shelf)
    yield "金额：" + "；".join(f"{key} {value}" for key, value in policy.state.amount.items())
    if (ends := policy.phase_out) is not None:
        premise = f"。前提：{ends.premise}" if ends.premise else ""
        yield f"渐退：{ends.sentence}{premise}；依据 {ends.basis}"
    history = _table("沿革", "日期", "变化", "文件")
    for step in shelf.history(policy.code):
        history.add_row(str(step.on), "\n".join(str(change) for change in step.changes), "\n".join(step.paths))
    yield history


def _values_table(policy: Policy) -> Table:
    table = _table("数值", "名称", "算式", "依据")
    for name, _, written, law in policy.values:
        table.add_row(name, written, law)
    return table


def _standards_table(policy: Policy, shelf: Shelf) -> Table:
    table = _table("标准和限额", "名称", "数值", "地方", "自", "来源")
    for paid in (True, False):
        for name, unit, values in policy.standards(paid=paid):
            if not values:
                table.add_row(name, f"（未定，单位 {unit}）", "", "", "")
            for each in values:
                table.add_row(name, each.words, shelf.places.get(each.place, each.place), str(each.since), each.source)
    return table


# -- one household explained

_ANSWERS = {True: "符合", False: "不符合", None: "待定"}


def print_explained(results: list[dict[str, Any]]) -> None:
    """What `explain` found, a table a programme (and person)."""
    for told in results:
        whom = "" if told["member"] is None else f"，成员 {told['member'] + 1}"
        amount = f"{yuan_plain(told['amount_fen'])} 元" if told["eligible"] else ""
        missing = f"，缺少 {'、'.join(told['missing'])}" if told["missing"] else ""
        title = f"{told['name']}（{told['programme']}）{whom}：{_ANSWERS[told['eligible']]} {amount}{missing}"
        table = _table(title, "条件", "结果", "数值", "依据")
        for each in told["conditions"]:
            table.add_row(each["text"], _ANSWERS[each["met"]], each["detail"], each["basis"])
        _print(table, "；".join(f"{name} {value}" for name, value in told["values"].items()))

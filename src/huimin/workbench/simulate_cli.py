"""`./huimin policy simulate`: a draft over the county's own registry, from the command line (POL-04).

in    a place, a day, standards set otherwise (`--set 低保标准=740`, or `--set dibao-rural:低保标准=740` for one programme),
      files of new text, or the number of a draft of the policy room
out   tables for people, `--json` for programs; the same figures stay on the pages under 测算

Nothing but the simulation's own row is written: no proposal, no decision.
"""

import json
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from huimin.database.instance import use_instance
from huimin.kernel.command_line import Day
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan

if TYPE_CHECKING:
    from huimin.organisation.acting import Actor
    from huimin.screening.simulation.comparing import Comparison, Line
    from huimin.screening.simulation.drafts import Draft
    from huimin.screening.simulation.models import Simulation


@click.command("simulate")
@click.option("--place", required=True, help="区划代码：县、乡、村")
@click.option("--date", "day", required=True, type=Day(), help="生效日期，如 2021-07-01")
@click.option(
    "--set", "settings", multiple=True, metavar="参数=数值", help="改一个标准；只改一个项目写 编码:参数=数值；可写多次"
)
@click.option("--text", "files", multiple=True, type=click.Path(path_type=Path), help="一份新的政策文件，可写多次")
@click.option("--draft", "number", type=int, default=None, help="政策草案的编号")
@click.option("--title", default="", help="名称，便于以后查找")
@click.option("--anew", is_flag=True, help="重新读取登记；不写则用最近一次筛查的快照")
@click.option("--by", "username", default="", help="以谁的名义（用户名）；不写时为当地惠民办经办")
@click.option("--json", "as_json", is_flag=True, help="结果写成 JSON")
def simulate(
    place: str, day: date, settings: tuple[str, ...], files: tuple[Path, ...], number: int | None, title: str,
    anew: bool, username: str, as_json: bool,
) -> None:  # fmt: skip
    """标准或条件改动以前，用全部登记算一遍：谁新增、谁退出、多花多少钱。不改变任何人的待遇。"""
    use_instance()
    from huimin.casework.screening import granted_on
    from huimin.organisation.queries import business_date
    from huimin.rules import PolicyFaults
    from huimin.screening.simulation import commands
    from huimin.screening.simulation.drafts import named_as

    by = _acting(place, username)
    draft = _draft(by, settings, files, number)
    named = title or "，".join((*settings, *(file.name for file in files), *([f"草案 {number} 号"] if number else [])))
    console, began = Console(stderr=True), time.monotonic()
    with console.status("测算…") as status:
        try:
            row = commands.simulate(
                by=by, on=business_date(), division=place, determination_date=day, draft=draft, title=named, anew=anew,
                granted=granted_on, progress=lambda what, done, total: status.update(f"{what} {done}/{total}"),
            )  # fmt: skip
        except PolicyFaults as found:
            own = list(draft.texts)[-len(files) :] if files else []
            raise named_as(found, dict(zip(own, map(str, files), strict=False))) from None
    _print(by, row, round(time.monotonic() - began, 2), as_json)


def _acting(place: str, username: str) -> "Actor":
    """The named account's appointment that may simulate there, or the county's office above the place."""
    from huimin.organisation.entrance import as_system
    from huimin.organisation.models import Appointment
    from huimin.organisation.posts import Post
    from huimin.organisation.queries import business_date, get_actor, live_on
    from huimin.screening.simulation.commands import SIMULATORS

    if not (place.isascii() and place.isdigit() and len(place) in (12, 15)):
        raise BadInput(f"“{place}”不是区划代码", where="--place", remedy="请写 12 位区划代码，村民组 15 位")
    with as_system(place[:2]):
        posts = Appointment.objects.filter(live_on(business_date()), post__in=SIMULATORS)
        posts = posts.filter(account__username=username) if username else posts.filter(post=Post.COUNTY_OFFICER)
        actors = [get_actor(each) for each in posts.select_related("office", "account").order_by("id")[:200]]
    found = next((each for each in actors if place.startswith(each.prefix)), None)
    if found is None:
        raise Refusal("没有能测算这个地方的岗位", why=username or place, remedy="请核对区划代码和用户名")
    return found


def _draft(by: "Actor", settings: tuple[str, ...], files: tuple[Path, ...], number: int | None) -> "Draft":
    from huimin.organisation.acting import reading
    from huimin.policy.models import PolicyDraft
    from huimin.policy.queries import adopted_texts
    from huimin.screening.simulation.drafts import Draft, text_path

    with reading(by):
        texts = adopted_texts()
        stored = PolicyDraft.objects.filter(pk=number).first() if number else None
    if number and stored is None:
        raise BadInput(f"没有 {number} 号草案", where="--draft", remedy="请核对编号，只能测算本地和上级的草案")
    new = {stored.path: stored.text} if stored else {}
    for file in files:
        words = _read(file)
        new[text_path(file.name, words, texts)] = words
    return Draft(_settings(settings), new)


def _settings(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    """`[编码:]参数=数值`, full-width signs too; "" stands for every programme."""
    found: dict[str, dict[str, str]] = {}
    for setting in settings:
        name, equals, value = setting.replace("＝", "=").replace("：", ":").partition("=")
        code, colon, own = name.rpartition(":")
        if not equals or not own.strip() or not value.strip() or (colon and not code.strip()):
            raise BadInput(f"“{setting}”不是 参数=数值", where="--set", remedy="写成例如 --set 低保标准=740")
        of_code = found.setdefault(code.strip(), {})
        if own.strip() in of_code:
            raise BadInput(f"“{name.strip()}”写了两次", where="--set", remedy="请只写一次")
        of_code[own.strip()] = value.strip()
    return found


def _read(file: Path) -> str:
    from huimin.screening.simulation.drafts import TEXT_BYTES_MAX

    try:
        with file.open("rb") as opened:
            raw = opened.read(TEXT_BYTES_MAX + 1)
        if len(raw) > TEXT_BYTES_MAX:
            raise BadInput("文件超过 1 MB", where=str(file), remedy="请拆成几个文件")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("文件不是 UTF-8 编码", where=str(file), remedy="请另存为 UTF-8 再试") from None
    except OSError:
        raise BadInput("读不到文件", where=str(file), remedy="请检查文件名和权限") from None


# -- telling


def _print(by: "Actor", row: "Simulation", seconds: float, as_json: bool) -> None:
    from huimin.divisions.queries import names_of
    from huimin.organisation.acting import reading
    from huimin.screening.simulation.comparing import Comparison
    from huimin.screening.simulation.sources import level_of
    from huimin.workbench.studies import budgets, place_prefix

    comparison = Comparison.of_plain(row.result)
    with reading(by):
        places = names_of({group.key for group in comparison.breakdowns[0].groups}, row.started_on)
        prefix = place_prefix(row.division, level_of(row.division, row.started_on))
        budget = budgets(comparison, prefix, row.determination_date.year)
    if not as_json:
        _print_tables(row, comparison, places, seconds)
        for each in budget:
            click.echo(
                f"{row.determination_date.year} 年指标　{each.name}：{each.verdict}，到年底多需要 {yuan(each.extra_fen)} 元"
            )
        return
    told = {
        "simulation": row.pk, "place": row.division, "date": row.determination_date.isoformat(), "title": row.title,
        "registry_date": str(row.registry_date), "run": row.run, "seconds": seconds, **row.result,
        "budget": [{"programme": each.code, "left_fen": each.left_fen, "extra_fen": each.extra_fen} for each in budget],
    }  # fmt: skip
    click.echo(json.dumps(told, ensure_ascii=False))


def _print_tables(row: "Simulation", comparison: "Comparison", places: dict[str, str], seconds: float) -> None:
    console = Console(soft_wrap=True, highlight=False)
    facts = f"{row.registry_date} 筛查的快照" if row.run else "刚读取的登记"
    click.echo(
        f"测算 {row.pk}：{row.title}，{row.determination_date} 生效；{facts}，{row.households:,} 户 {row.people:,} 人，{seconds} 秒"
    )
    of_programmes = _table("补贴项目")
    for each in comparison.programmes:
        if each.touched:
            _add(of_programmes, f"{each.name}（{'户' if each.unit == 'household' else '人'}）", each.line)
    _add(of_programmes, "全部项目（户）", comparison.total)
    console.print(of_programmes)
    for breakdown in comparison.breakdowns:
        of_groups = _table(breakdown.label)
        for group in breakdown.groups:
            if group.lines[""].changed:
                _add(of_groups, places.get(group.key, group.label), group.lines[""])
        console.print(of_groups)


def _table(title: str) -> Table:
    table = Table(title, box=None, pad_edge=False)
    for name in ("现行", "草案", "新增", "退出", "增加", "减少", "每年增减（元）"):
        table.add_column(name, justify="right")
    return table


def _add(table: Table, name: str, line: "Line") -> None:
    numbers: list[Any] = [line.before, line.after, line.entering, line.leaving, line.more, line.less]
    table.add_row(name, *(f"{number:,}" for number in numbers), yuan(line.extra_fen))

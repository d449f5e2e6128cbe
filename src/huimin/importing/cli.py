"""`./huimin import FILE --place CODE`: the same import as on the pages, from the command line (REG-03).

Exit codes: 0 imported (or, with --dry-run, without a wrong row); 1 some rows are wrong; 2 the file or the order is refused.
Faults are printed with sheet, row, column, value and remedy, personal values masked; --faults writes the workbook that
goes back, whose values are plain.
"""

import json
import os
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from huimin.database.instance import use_instance
from huimin.kernel.command_line import Day
from huimin.kernel.errors import Refusal

if TYPE_CHECKING:
    from huimin.importing.models import Import
    from huimin.organisation.acting import Actor

SHOWN_MAX = 50
FAULTS_PURPOSE = "改正后重新导入"
_COUNTS = {"new": "新增", "changed": "变更", "same": "相同", "conflict": "待核实", "wrong": "有误"}


@click.command("import", help="导入户、人、卡或资源的表（.xlsx、.xls、.csv）")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--place", required=True, help="导入到哪里：县、乡镇或村的区划代码")
@click.option(
    "--kind", type=click.Choice(["households", "members", "cards", "resources"]), help="表的种类；不写时自动识别"
)
@click.option("--date", "since", type=Day(), help="从哪一天起是这样；不写时为业务日期")
@click.option("--evidence", default="", help="依据，如 2021 年普查")
@click.option("--by", "username", default="", help="以谁的名义（用户名）；不写时为当地统计员，或惠民办经办")
@click.option("--dry-run", is_flag=True, help="只核对，不导入")
@click.option("--right-rows", is_flag=True, help="有误的行留下，先导入没有问题的行")
@click.option("--skip-hidden", is_flag=True, help="不导入隐藏的行")
@click.option(
    "--faults", "faults_file", type=click.Path(path_type=Path), help="把有问题的行写成 .xlsx（含完整号码，请妥善保管）"
)
@click.option("--json", "as_json", is_flag=True, help="结果写成 JSON")
def import_command(
    file: Path, place: str, kind: str | None, since: date | None, evidence: str, username: str, dry_run: bool,
    right_rows: bool, skip_hidden: bool, faults_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Send, check, and unless it is a dry run or rows are wrong, carry out."""
    content = _content(file)
    use_instance()
    by = _actor(place, username)
    told = _imported(
        by, _name_of(file), content, place=place, kind=kind or "", since=since, evidence=evidence, dry_run=dry_run,
        only_right=right_rows, skip_hidden=skip_hidden, faults_file=faults_file,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _print(told)
    sys.exit(1 if told["wrong"] and not told["imported"] else 0)


def _name_of(file: Path) -> str:
    """The file's name in characters; from an archive made on Windows it comes in the bytes of GBK."""
    spelled = os.fsencode(file.name)
    try:
        return spelled.decode()
    except UnicodeDecodeError:
        return spelled.decode("gb18030", "replace")


def _content(file: Path) -> bytes:
    from huimin.importing.reading import Limits

    most = Limits().file_bytes
    try:
        if file.stat().st_size > most:
            raise Refusal(
                f"文件有 {file.stat().st_size >> 20:,} MB，最多 {most >> 20} MB", remedy="请按乡镇或村拆成几个文件"
            )
        return file.read_bytes()
    except FileNotFoundError:
        raise Refusal(f"没有 {file} 这个文件", remedy="请核对文件名和所在的文件夹") from None
    except IsADirectoryError:
        raise Refusal(f"{file} 是一个文件夹", remedy="请写其中的一个文件") from None
    except OSError:
        raise Refusal(f"打不开 {file}", remedy="请检查您有没有读这个文件的权限") from None


def _actor(place: str, username: str) -> "Actor":
    """The named account, the township's first clerk, or the first officer of the county's leading office above the place."""
    from huimin.organisation.entrance import as_system
    from huimin.organisation.models import Appointment
    from huimin.organisation.posts import Post
    from huimin.organisation.queries import business_date, get_actor, live_on

    if not (place.isascii() and place.isdigit() and len(place) in (12, 15)):
        raise Refusal(f"“{place}”不是区划代码", remedy="请写 12 位区划代码")
    with as_system(place[:2]):
        posts = Appointment.objects.filter(live_on(business_date()), post__in=[Post.CLERK, Post.COUNTY_OFFICER])
        posts = posts.filter(account__username=username) if username else posts
        actors = [get_actor(each) for each in posts.select_related("office", "account").order_by("id")[:2000]]
    able = [each for each in actors if place.startswith(each.prefix)]
    if not able:
        raise Refusal(
            "没有能导入到这个地方的统计员或惠民办经办", why=username or place, remedy="请核对区划代码和用户名"
        )
    return max(able, key=lambda each: len(each.prefix))


def _imported(
    by: "Actor", name: str, content: bytes, *, place: str, kind: str, since: date | None, evidence: str, dry_run: bool,
    only_right: bool, skip_hidden: bool, faults_file: Path | None,
) -> dict[str, Any]:  # fmt: skip
    from huimin.importing.commands import confirm_import, request_check, send_file, withdraw_import
    from huimin.importing.working import carry_out, check
    from huimin.organisation.queries import business_date

    on = business_date()
    row = send_file(
        by=by, on=on, place=place, name=name, content=content, kind=kind, valid_from=since,
        evidence=evidence, skip_hidden=skip_hidden,
    )  # fmt: skip
    over = False
    try:
        with _bar() as progress:
            request_check(by=by, on=on, number=row.pk, background=False)
            row = check(by, row.pk, progress)
            if row.state == row.State.MAPPING:
                raise Refusal(
                    "认不出这张表", why=row.failure, remedy="请用 --kind 指明种类，或在页面上导入并选择各列的含义"
                )
            if not dry_run and (only_right or not row.counts.get("wrong")):
                confirm_import(by=by, on=on, number=row.pk, only_right=only_right, background=False)
                row = carry_out(by, row.pk, on, progress)
                over = True
        return _told(by, row, faults_file)
    finally:
        if not over:
            with suppress(Refusal):
                withdraw_import(by=by, on=on, number=row.pk)


def _told(by: "Actor", row: "Import", faults_file: Path | None) -> dict[str, Any]:
    from django.utils import timezone

    from huimin.importing import store
    from huimin.importing.returning import take_faults

    faults, left_out = store.faults_of(row.pk)
    if faults_file and faults:
        taken = f"{by.office_name} {by.name} {timezone.localtime():%Y-%m-%d %H:%M}"
        mark = f"说明：{taken} 用命令行取出，用于{FAULTS_PURPOSE}。含个人信息，不得外传。"
        _, book = take_faults(by=by, on=row.uploaded_on, number=row.pk, purpose=FAULTS_PURPOSE, mark=mark)
        faults_file.write_bytes(book)
    return {
        "import": row.pk, "file": row.file_name, "sha256": row.file_sha256, "place": row.division, "kind": row.kind,
        "imported": row.state == row.State.FINISHED, **row.counts, "left_out": left_out, "left_columns": [label for label, target in row.mapping.items() if not target],
        "faults": [fault.as_data() for fault in faults],
    }  # fmt: skip


def _bar() -> Any:
    from contextlib import contextmanager

    @contextmanager
    def shown() -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("读取文件", total=None)
            yield lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total or None)

    return shown()


def _print(told: dict[str, Any]) -> None:
    click.echo(
        f"{told['file']}（{told['kind']}）共 {told['rows']:,} 行："
        + "，".join(f"{word} {told[name]:,}" for name, word in _COUNTS.items())
    )
    for each in told["left_out"][:SHOWN_MAX]:
        where = f"“{each['sheet']}”" + (f"第 {each['row']} 行" if each["row"] else "")
        click.echo(f"  没有导入 {where}：{each['why']} {each['text']}".rstrip())
    if told["left_columns"]:
        click.echo(f"  没有导入的列：{'、'.join(told['left_columns'][:SHOWN_MAX])}")
    for fault in told["faults"][:SHOWN_MAX]:
        where = f"“{fault['sheet']}”第 {fault['row']} 行" + (
            f" {fault['column']} 列（{fault['head']}）" if fault["column"] else ""
        )
        said = "；".join(part for part in (fault["what"], fault["why"], fault["remedy"]) if part)
        click.echo(f"  {where} “{fault['value']}”：{said}")
    if len(told["faults"]) > SHOWN_MAX:
        click.echo(f"  …… 共 {len(told['faults']):,} 处，全部见 --json 或 --faults")
    click.echo("已导入" if told["imported"] else "没有导入任何数据")

"""`./huimin screen …`: a screening from the command line, and the proof of all past ones (DET-01, DET-07).

`run` does the work here, with a bar; interrupted in any way, the same command goes on where it was. `prove` determines
every past run again from its snapshot under the texts of then and exits with 1 when anything differs.
"""

import json
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from huimin.database.instance import use_instance
from huimin.kernel.command_line import Day
from huimin.kernel.errors import Refusal

if TYPE_CHECKING:
    from huimin.jobs.models import Job
    from huimin.organisation.acting import Actor
    from huimin.screening.proving import Proof


@click.group("screen")
def screen() -> None:
    """筛查：按一天的登记和生效的政策判断每一户；证明以往的结果可以重算。"""


@screen.command("run")
@click.option("--place", required=True, help="区划代码：县、乡、村")
@click.option("--date", "day", required=True, type=Day(), help="认定日期，如 2021-07-01")
@click.option("--by", "username", default="", help="以谁的名义（用户名）；不写时为当地惠民办经办")
@click.option("--json", "as_json", is_flag=True, help="结果写成 JSON")
def run_command(place: str, day: date, username: str, as_json: bool) -> None:
    """筛查一个地方；中断后再执行同一命令即继续。"""
    use_instance()
    from huimin.casework.screening import screen as screen_place
    from huimin.organisation.queries import business_date

    by = _officer(place, username)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("等待", total=None, rate="")
        row = screen_place(by=by, on=business_date(), division=place, determination_date=day, watch=_shown(bar, task))
    figures = {
        "run": row.pk, "households": row.households, "people": row.people, "listed": row.listed, "kept": row.kept,
        "snapshot": row.snapshot_sha256,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
    else:
        click.echo(
            f"筛查 {row.pk} 完成：{row.households:,} 户 {row.people:,} 人；建议 {row.listed:,} 条，其中原有 {row.kept:,} 条。"
            f"快照 {row.snapshot_sha256[:16]}…"
        )


def _shown(bar: Progress, task: Any) -> Any:
    from django.utils import timezone

    def watch(job: "Job") -> None:
        rate = job.rate(timezone.now())
        told = f"{rate:,.0f}/秒" if rate and job.total > 1 else ""
        bar.update(task, description=job.stage or "等待", completed=job.done, total=job.total or None, rate=told)

    return watch


def _officer(place: str, username: str) -> "Actor":
    """Who acts: the named account, or the first officer of the county's leading office above the place."""
    from huimin.organisation.entrance import as_system
    from huimin.organisation.models import Appointment
    from huimin.organisation.posts import Post
    from huimin.organisation.queries import business_date, get_actor, live_on

    if not (place.isascii() and place.isdigit() and len(place) in (12, 15)):
        raise Refusal(f"“{place}”不是区划代码", remedy="请写 12 位区划代码，村民组 15 位")
    with as_system(place[:2]):
        posts = Appointment.objects.filter(live_on(business_date()), post=Post.COUNTY_OFFICER)
        posts = posts.filter(account__username=username) if username else posts
        actors = [get_actor(each) for each in posts.select_related("office", "account").order_by("id")[:200]]
    found = next((each for each in actors if place.startswith(each.prefix)), None)
    if found is None:
        raise Refusal("没有能筛查这个地方的惠民办经办", why=username or place, remedy="请核对区划代码和用户名")
    return found


@screen.command("prove")
@click.option("--json", "as_json", is_flag=True, help="每次筛查一行 JSON")
def prove_command(as_json: bool) -> None:
    """把以往每一次筛查从快照按当时的政策重算，与存下的逐条比；有不同即以 1 退出。"""
    use_instance()
    bad = total = results = 0
    for proof in _proofs():
        total, results, bad = total + 1, results + proof.results, bad + (not proof.ok)
        _print(proof, as_json)
    if not as_json:
        click.echo(f"重算 {total} 次筛查、{results:,} 条结果：" + (f"{bad} 次不同" if bad else "全部与存下的相同"))
    sys.exit(1 if bad else 0)


def _proofs() -> Any:
    """Each finished run of the instance, read as whoever started it."""
    from huimin.jobs.working import everywhere
    from huimin.organisation.models import Appointment
    from huimin.organisation.queries import get_actor
    from huimin.screening.models import Run
    from huimin.screening.proving import prove_run

    with everywhere():
        rows = Run.objects.filter(state=Run.State.FINISHED).exclude(versions={}).order_by("id")
        starters = {row.pk: row.started_by for row in rows}
        found = Appointment.objects.select_related("office", "account").filter(pk__in=set(starters.values()))
        actors = {each.pk: get_actor(each) for each in found}
    for number, starter in starters.items():
        yield prove_run(actors[starter], number)


def _print(proof: "Proof", as_json: bool) -> None:
    row = proof.run
    if as_json:
        told = {"run": row.pk, "results": proof.results, "differences": proof.differences}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    verdict = "相同" if proof.ok else "不同"
    click.echo(f"筛查 {row.pk} {row.division} {row.determination_date}：{proof.results:,} 条，{verdict}")
    for line in proof.differences:
        click.echo(f"  {line}", err=True)

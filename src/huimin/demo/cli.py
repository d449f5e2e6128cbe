"""`./huimin demo run` carries a generated county through the quarter; `./huimin serve` opens its site.

Running it again with the same people gives the same figures; running it over a half-finished one completes it; another
number of people begins anew with a database of its own (huimin_demo_<people>).
"""

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import click
from rich.console import Console

from huimin.database import instance
from huimin.kernel.command_line import Day

ROOT = instance.ROOT
OUT = ROOT / "demo-out"
SEED = 2021
PEOPLE = (1_000, 1_000_000)
GROWING = ("screened", "decided", "accrued", "compiled", "published", "released")  # steps that fill empty tables


@click.group(help="演示：一个虚构的县，完整的一个季度")
def demo() -> None:
    """The demonstration."""


def _environment(database: str) -> None:
    """The demonstration's own database and marks; plain HTTP on this machine only."""
    os.environ["HUIMIN_DB_NAME"] = database
    os.environ.setdefault("HUIMIN_DEMO", "1")
    os.environ.setdefault("HUIMIN_PLAIN_HTTP", "1")


@demo.command("run", help="从登记到发放，走完 2021 年第三季度")
@click.option("--people", type=click.IntRange(*PEOPLE), default=20_000, show_default=True, help="人数")
@click.option("--seed", type=int, default=SEED, show_default=True, help="随机种子")
def run_command(people: int, seed: int) -> None:
    _environment(f"huimin_demo_{people}")
    console = Console(highlight=False, soft_wrap=True)
    seconds: dict[str, float] = {}
    started = time.monotonic()
    for step, outcome in instance.bring_up():
        console.print(f"{step}：{outcome}")
    seconds["database"] = round(time.monotonic() - started, 2)
    instance.remember_database(os.environ["HUIMIN_DB_NAME"])

    from huimin.demo.quarter import STEPS, County
    from huimin.demo.report import step_line

    county = County(people=people, seed=seed, home=_folder(os.environ["HUIMIN_DB_NAME"]))
    for number, step in enumerate(STEPS, 1):
        began = time.monotonic()
        with console.status(f"{step.title}…"):
            figures = step.run(county)
        if step.name in GROWING:
            _refresh_statistics()
        seconds[step.name] = round(time.monotonic() - began, 2)
        console.print(f"{number:2d}. {step_line(step.title, figures, time.monotonic() - began)}")
    _finish(console, county, seconds)


@demo.command("day", help="演示的业务日期：不写日期时只看，写了就往后移到那一天")
@click.argument("day", required=False, type=Day())
def day_command(day: date | None) -> None:
    """The day pages and jobs go by; forwards only, as everything done is dated."""
    instance.use_instance()
    from huimin.demo.clock import business_day
    from huimin.organisation.models import SimulatedClock

    now = SimulatedClock.objects.values_list("business_date", flat=True).first()
    if now is None:
        raise click.ClickException("这里不是演示的数据，业务日期就是今天，不能移动")
    if day is None:
        click.echo(f"业务日期 {now}")
        return
    if day < now:
        raise click.ClickException(f"业务日期已经是 {now}，不能往回移：已经办的事都记着那一天。要从头来，请重新做演示")
    business_day(day)
    click.echo(f"业务日期 {now} → {day}" if day > now else f"业务日期 {now}，没有变")


def _finish(console: Console, county: object, seconds: dict[str, float]) -> None:
    """Prove, write, and end with 1 when anything differs."""
    from huimin.demo.proof import prove
    from huimin.demo.report import print_comparisons, write_summary

    began = time.monotonic()
    proof = prove(county, OUT)  # type: ignore[arg-type]
    seconds["proof"] = round(time.monotonic() - began, 2)
    print_comparisons(console, proof.comparisons)
    summary = write_summary(OUT, proof.figures, proof.comparisons, {**proof.as_figures(), "seconds": seconds})
    console.print(proof.audit_line)
    console.print(proof.scan_line)
    console.print(f"被拒绝的操作 {summary['refusals']} 次，均已记录；总用时 {sum(seconds.values()):.1f} 秒")
    console.print(f"输出在 {OUT.relative_to(ROOT)}/：summary.json、清册、公示、银行文件、明白卡")
    if summary["differences"] or not proof.ok:
        console.print("[bold red]有差额或有问题，见上表[/]")
        sys.exit(1)
    console.print("每一项差额都是 0。")


def _folder(database: str) -> Path:
    """Where a demonstration keeps what it exchanges with its bank."""
    return instance.home() / database.removeprefix("huimin_").replace("_", "-")


def _refresh_statistics() -> None:
    """What PostgreSQL does by itself overnight: the next step comes at once and must not be planned for empty tables."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")


def _start_background_work() -> None:
    """`./huimin work` beside the site: it ends when this process does, which becomes the site's own."""
    command = [sys.executable, "-m", "huimin", "work", "--beside", str(os.getpid())]
    subprocess.Popen(command, start_new_session=True)


@click.command("serve", help="打开上一次演示的网站")
@click.option("--port", type=click.IntRange(1024, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
def serve(port: int, workers: int) -> None:
    database = instance.remembered_database()
    if database is None:
        raise click.ClickException("还没有演示数据，请先执行 make demo")
    _environment(database)
    instance.use_instance()
    from django.core.management import call_command

    from huimin.demo.accounts import account_lines

    os.environ.setdefault("HUIMIN_OUTBOX", str(_folder(database) / "bank" / "outbox"))
    call_command("collectstatic", interactive=False, verbosity=0)
    click.echo("\n".join(account_lines()))
    click.echo(f"网站：http://127.0.0.1:{port}  （按 Ctrl+C 停止）")
    _start_background_work()
    command = web_command(port, workers)
    os.execv(command[0], command)


def web_command(port: int, workers: int = 2) -> list[str]:
    """What runs the site; everything is loaded before it divides, so that one of it that was killed is back at once."""
    program = Path(sys.executable).with_name("gunicorn")
    return [
        str(program), "huimin.wsgi:application", "--bind", f"127.0.0.1:{port}", "--workers", str(workers),
        "--worker-class", "gthread", "--threads", "4", "--chdir", str(ROOT / "src"), "--log-level", "warning",
        "--no-control-socket", "--preload",
    ]  # fmt: skip

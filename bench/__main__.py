"""`python -m bench`: run the benchmarks, one process each, and report."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console

from bench.measuring import Result, machine
from bench.report import print_results, write_results
from huimin.kernel.errors import Refusal

OUT = Path(__file__).resolve().parents[1] / "bench-out" / "results.json"
WHOLE = 1_000_000
"""The size the goals are for."""
BENCHES = {
    "determine": "bench.determine",
    "determine-db": "bench.determine_db",
    "simulate": "bench.simulate",
    "import": "bench.importing",
    "duplicates": "bench.duplicates",
    "pages": "bench.pages",
    "desks": "bench.cases",
    "payments": "bench.payments",
    "letters": "bench.letters",
    "printing": "bench.printing",
}


@click.command(help="基准测试：每一项都与同一次运行中的标尺比较")
@click.option("--only", type=click.Choice(list(BENCHES)), help="只运行一项")
@click.option("--households", type=click.IntRange(1_000, 10_000_000), default=WHOLE, show_default=True, help="户数")
@click.option("--inside", is_flag=True, hidden=True, help="在本进程运行，结果写成 JSON")
def bench(only: str | None, households: int, inside: bool) -> None:
    if inside:
        assert only is not None
        for result in import_module(BENCHES[only]).run(households):
            click.echo(json.dumps(result.as_data(), ensure_ascii=False))
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 170)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    results = [
        result for name in ([only] if only else BENCHES) for result in _in_own_process(console, name, households)
    ]
    print_results(console, results)
    write_results(OUT, results, machine(), at)
    if households < WHOLE:
        console.print(f"目标是按 {WHOLE:,} 户定的，{households:,} 户时达到与否不说明什么")
    console.print(f"写入 {OUT.parent.name}/{OUT.name}")


def _in_own_process(console: Console, name: str, households: int) -> list[Result]:
    """So that one benchmark's memory is not another's."""
    command = [sys.executable, "-m", "bench", "--only", name, "--households", str(households), "--inside"]
    with console.status(f"{name}…"):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Refusal(f"{name} 没有跑完", why=f"退出码 {done.returncode}", remedy="见上面的说明")
    return [Result(**json.loads(line)) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    try:
        bench()
    except Refusal as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(1)

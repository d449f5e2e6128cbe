"""`python -m bench.scale 10000 30000 100000 1000000`: how a roster's steps grow with its lines (docs/scale.md).

in    numbers of lines, each measured in a process and a database of its own (bench.payments)
out   bench-out/scale-<lines>.json, and a table of every size there is in bench-out/scale.md: seconds, lines a second, memory that the
      process added and that its database session held, the machine's load when the step began
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.measuring import machine
from bench.payments import measured

OUT = Path(__file__).resolve().parents[1] / "bench-out"


@click.command(help="清册各步随行数的增长")
@click.argument("sizes", type=click.IntRange(1_000, 1_000_000), nargs=-1, required=True)
@click.option("--inside", is_flag=True, hidden=True)
def scale(sizes: tuple[int, ...], inside: bool) -> None:
    OUT.mkdir(exist_ok=True)
    for lines in sizes:
        if not inside:
            subprocess.run([sys.executable, "-m", "bench.scale", str(lines), "--inside"], check=True)
            continue
        with (OUT / f"scale-{lines}.json").open("w", encoding="utf-8") as kept:
            kept.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}) + "\n")
            for result in measured(lines):
                kept.write(json.dumps(result.as_data(), ensure_ascii=False) + "\n")
                kept.flush()
                click.echo(f"{lines:>9,} {result.work} {result.value:,.0f} {result.unit} {result.detail}")
    if not inside:
        text = table()
        (OUT / "scale.md").write_text(text, encoding="utf-8")
        click.echo(text)


def table() -> str:
    """Every size that was measured, step by step."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for path in OUT.glob("scale-*.json"):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            row = json.loads(line)
            name = row["work"].partition(" ")[2] if row["unit"] == "行/秒" else "最慢的一种页面"
            found.setdefault(name, {})[row["detail"]["lines"]] = row
    heads = ("step", "lines", "seconds", "lines/s", "s of CPU", "lines/s of CPU", "MB added", "session MB", "load")
    out = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for name, sizes in found.items():
        for lines, row in sorted(sizes.items()):
            told = row["detail"]
            rate = f"{row['value']:,.0f}" if row["unit"] == "行/秒" else f"{row['value']:.0f} ms"
            cpu = told.get("cpu_seconds")
            of_cpu = f"{lines / cpu:,.0f}" if cpu else ""
            cells = (
                name, f"{lines:,}", told.get("seconds", ""), rate, cpu or "", of_cpu, told["memory_added_mb"], told.get("session_mb", ""),
                told["load"],
            )  # fmt: skip
            out.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    scale()

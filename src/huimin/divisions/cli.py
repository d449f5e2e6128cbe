"""`./huimin divisions load`: a file of divisions into the instance, whole or not at all (ORG-01)."""

from datetime import date
from pathlib import Path

import click

from huimin.database.instance import use_instance
from huimin.kernel.command_line import Day


@click.group(help="行政区划")
def divisions() -> None:
    """Divisions of the instance."""


@divisions.command("load", help="载入区划文件（列：code,name,level,parent）；重复载入没有影响")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--since", type=Day(), default="2020-01-01", show_default=True, help="生效日期")
def load_command(file: Path, since: date) -> None:
    use_instance()
    from huimin.divisions.loading import load_divisions

    report = load_divisions(file, since)
    click.echo(f"新增 {report.added} 个，原有 {report.unchanged} 个")

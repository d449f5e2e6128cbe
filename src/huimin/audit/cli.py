"""`./huimin audit`: seal the change log, prove it whole, and re-baseline a table after a migration."""

import json

import click

from huimin.database.instance import use_instance


@click.group(help="变更记录：封印、核验")
def audit() -> None:
    """Every command reaches the database only when it runs."""
    use_instance()


@audit.command("seal", help="把已完成的变更记录封印成链")
def seal_command() -> None:
    from huimin.audit.sealing import seal

    done = seal()
    click.echo(f"新封印 {done.seals} 个，覆盖变更记录 {done.changes} 条；尚未封印 {done.unsealed} 条")
    if done.mended_heads:
        click.echo(f"链头文件补记 {done.mended_heads} 号")


@audit.command("verify", help="核验变更记录与数据；发现问题时退出码为 1")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@click.pass_context
def verify_command(context: click.Context, as_json: bool) -> None:
    from huimin.audit.verifying import verify

    report = verify()
    if as_json:
        click.echo(json.dumps(report.as_data(), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(report.lines()))
    context.exit(0 if report.ok else 1)


@audit.command("rebaseline", help="迁移改变了一张表的列之后，为它的行重记摘要（先核验，再迁移，再执行）")
@click.argument("table")
@click.option("--reason", required=True, help="为什么，记入变更记录")
def rebaseline_command(table: str, reason: str) -> None:
    from huimin.audit.rebaselining import rebaseline

    click.echo(f"{table}：{rebaseline(table, reason)} 行已重定基线")

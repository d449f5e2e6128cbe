"""`./huimin db`: make the instance's database ready, stop it, say how it is. Secrets are never printed."""

from urllib.parse import quote

import click
import psycopg

from huimin.database import instance
from huimin.database.roles import APPLICATION


@click.group(help="数据库：准备、停止、状态")
def db() -> None:
    """Commands of the instance's PostgreSQL."""


@db.command(help="准备好数据库：密钥、服务器、角色、表、行级权限；可重复执行")
def up() -> None:
    for step, outcome in instance.bring_up():
        click.echo(f"{step}：{outcome}")


@db.command(help="停止本机私有的数据库服务器（数据保留）")
def down() -> None:
    if instance.external():
        click.echo("数据库由 DATABASE_URL 指定，不由本系统启停")
        return
    cluster = instance.private_cluster()
    was_running = cluster.running
    cluster.stop()
    click.echo("数据库已停止" if was_running else "数据库没有在运行")


@db.command(help="停止并删除本机私有的数据库及其全部数据；密钥文件与封印链头保留")
@click.confirmation_option(prompt="将永久删除私有数据库中的全部数据，确定吗？")
def remove() -> None:
    if instance.external():
        raise click.UsageError("数据库由 DATABASE_URL 指定，请由数据库管理员删除")
    instance.private_cluster().remove()
    click.echo("私有数据库已删除")


@db.command(help="数据库现在怎样")
@click.pass_context
def status(context: click.Context) -> None:
    if not instance.external() and not instance.private_cluster().running:
        click.echo("数据库没有运行，请执行 ./huimin db up")
        context.exit(1)
    url = instance.connect_settings()
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version, size, tables = connection.execute(
                "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())),"
                " (SELECT count(*) FROM pg_tables WHERE schemaname = 'public')"
            ).fetchone() or ("", "", 0)
    except psycopg.OperationalError:
        click.echo("服务器在运行，但还没有本系统的数据库，请执行 ./huimin db up")
        context.exit(1)
    click.echo(f"数据库在运行：PostgreSQL {version}，{_place()}，{tables} 张表，{size}")


@db.command("url", help="应用角色的连接地址（不含口令；口令在密钥文件中）")
def url_command() -> None:
    instance.connect_settings()
    click.echo(f"postgresql://{APPLICATION}@{_place()}")


def _place() -> str:
    host, port, name = instance.address()
    return f"{host}:{port}/{quote(name)}"

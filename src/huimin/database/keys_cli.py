"""`./huimin keys`: the encryption keys of the instance. Keys are never printed, only their numbers (SEC-04)."""

import click

from huimin.database import instance


@click.group(help="加密密钥：现状、增加、换用、停用")
def keys() -> None:
    """Every command works beside a running system."""
    instance.use_instance()


@keys.command(help="每个密钥加密着多少个值")
def status() -> None:
    from huimin.database.personal import keyring
    from huimin.database.rotating import keys_in_use

    used, known = keys_in_use(), sorted(keyring().keys)
    for number in known:
        click.echo(f"{number} 号密钥：{used[number]:,} 个值{'（新写入的用它）' if number == known[-1] else ''}")


@keys.command(help="增加一个新密钥，此后写入的数据用它加密")
def add() -> None:
    from huimin.database.rotating import add_key

    click.echo(f"已增加 {add_key()} 号密钥；请备份密钥文件，再执行 ./huimin keys rotate")


@keys.command(help="把旧密钥加密的值换用最新的密钥；可随时中断，再执行即继续")
def rotate() -> None:
    from huimin.database.rotating import rotate

    click.echo(f"已换用最新密钥：{rotate():,} 个值")


@keys.command(help="停用一个已没有值使用的旧密钥")
@click.argument("number", type=int)
def retire(number: int) -> None:
    from huimin.database.rotating import retire_key

    retire_key(number)
    click.echo(f"{number} 号密钥已停用；备份里若还有用它加密的数据，请把旧密钥文件与备份放在一起")

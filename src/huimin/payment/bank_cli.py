"""`./huimin bank keys`: keys for each bank's office and direction. Private keys are never printed (PAY-04, SEC-04)."""

from datetime import date
from pathlib import Path

import asyncssh
import click

from huimin.database import instance
from huimin.kernel.errors import BadInput

_FILE_MAX = 10_000
_suite = click.option(
    "--suite", type=click.Choice(["ed25519", "sm2"]), default="ed25519", show_default=True, help="算法"
)
_begins = click.option("--from", "begins", type=click.DateTime(["%Y-%m-%d"]), help="从哪一天起用，缺省今天")


@click.group(help="与银行往来")
def bank() -> None:
    """Commands work on the instance of HUIMIN_HOME."""
    instance.use_instance()


@bank.group(help="签名和登录的密钥：现状、生成、登记、停用")
def keys() -> None:
    """Kept in bank-keys.json beside the instance's secrets."""


@keys.command("list", help="每家银行机构有哪些密钥")
def list_keys() -> None:
    from huimin.payment.exchange.keys import DIRECTIONS
    from huimin.payment.exchange.keys import list_keys as every

    names = _offices()
    for number, name in names.items():
        click.echo(f"机构 {number} {name}")
        for key in every(number):
            until = f"，{key.ends} 停用" if key.ends else ""
            click.echo(
                f"  {key.direction} {key.number} 号 {DIRECTIONS[key.direction]} {key.suite} {key.mark}，{key.begins} 起{until}"
            )
    if not names:
        click.echo("还没有代理银行；请管理员先设机构")


@keys.command(help="生成我方给这家银行签名的新密钥，打印公钥")
@click.argument("office", type=int)
@_suite
@_begins
def make(office: int, suite: str, begins: date | None) -> None:
    from huimin.payment.exchange.keys import make_key

    _require(office)
    key = make_key(office, suite, _day(begins))
    click.echo(f"{key.number} 号密钥 {key.mark}，{key.begins} 起签名；公钥交给银行：")
    click.echo(key.public)


@keys.command(help="登记银行的签名公钥（文件里是十六进制，或 Ed25519 的 PEM）")
@click.argument("office", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_suite
@_begins
def add(office: int, file: Path, suite: str, begins: date | None) -> None:
    from huimin.payment.exchange.keys import IN, add_key
    from huimin.payment.exchange.suites import public_text

    _require(office)
    if file.stat().st_size > _FILE_MAX:
        raise BadInput("文件太大，不是公钥", where=file.name, remedy="请向银行要公钥文件")
    public = public_text(suite, file.read_text(encoding="utf-8", errors="replace"))
    key = add_key(office, IN, suite, _day(begins), public)
    click.echo(f"已登记 {key.number} 号 {key.mark}，{key.begins} 起认它的签名；旧的仍认，换好后再停用")


@keys.command("make-ssh", help="生成登录银行 SFTP 的密钥，打印公钥")
@click.argument("office", type=int)
@_begins
def make_ssh(office: int, begins: date | None) -> None:
    from huimin.payment.exchange.keys import SSH, add_key

    _require(office)
    pair = asyncssh.generate_private_key("ssh-ed25519", comment=f"huimin-{office}")
    public = pair.export_public_key("openssh").decode().strip()
    add_key(office, SSH, "ed25519", _day(begins), public, pair.export_private_key("openssh").decode())
    click.echo("公钥交给银行登记：")
    click.echo(public)


@keys.command(help="停用一把旧密钥：OFFICE 方向（out、in、ssh） 编号")
@click.argument("office", type=int)
@click.argument("direction", type=click.Choice(["out", "in", "ssh"]))
@click.argument("number", type=int)
def retire(office: int, direction: str, number: int) -> None:
    from huimin.payment.exchange.keys import retire_key

    key = retire_key(office, direction, number, _day(None))
    click.echo(f"{direction} {number} 号密钥 {key.mark} 自 {key.ends} 起停用")


def _offices() -> dict[int, str]:
    from huimin.organisation.models import Office
    from huimin.organisation.posts import OfficeKind

    return dict(
        Office.objects.using("maintenance").filter(kind=OfficeKind.BANK).order_by("pk").values_list("pk", "name")[:500]
    )


def _require(office: int) -> None:
    if office not in (known := _offices()):
        told = "、".join(f"{number} {name}" for number, name in list(known.items())[:10]) or "还没有"
        raise BadInput(
            f"没有编号 {office} 的代理银行",
            where="机构编号",
            why=f"有的是：{told}",
            remedy="请用 ./huimin bank keys list 核对",
        )


def _day(told: object) -> date:
    from huimin.organisation.queries import business_date

    return told.date() if hasattr(told, "date") else business_date()

"""`./huimin sample …`: a draw redone, from this instance or from the file that was published, without a database (CASE-08).

`verify` draws again from list and number and exits with 1 when anything differs; `text` prints what is published. The
same with nothing but a shell, over the published file:

    sed '1,/^名单：$/d' draw.txt | sha256sum                              the digest of the list
    printf '%s' '摘要|福彩双色球|2021-07-04|01 05 09 12 22 30+07' | sha256sum    the seed
    printf '%s' '种子:20210000012' | sha256sum                            the key of one case; the smallest are drawn
"""

import json
import sys
from pathlib import Path

import click

from huimin.database.instance import use_instance
from huimin.kernel.errors import BadInput, Refusal
from huimin.samples.seeding import Published, faults_of, read_published

FILE_BYTES_MAX = 5_000_000


@click.group("sample")
def sample() -> None:
    """抽查：把公布的抽签重做一遍，看抽中的对不对。"""


@sample.command("verify")
@click.argument("what")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序使用")
def verify_command(what: str, as_json: bool) -> None:
    """重做一次抽签。WHAT 是抽签编号（用本系统的数据），或公布的文件（不用数据库）。有不符即以 1 退出。"""
    told = _stored(int(what)) if what.isascii() and what.isdigit() and len(what) < 19 else _file(Path(what))
    faults = faults_of(told)
    figures = {
        "title": told.title, "size": len(told.entries), "must": sum(each.must for each in told.entries),
        "percent": told.percent, "digest": told.digest, "seed": told.seed if told.number else "",
        "picked": list(told.picked), "faults": faults,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
    else:
        _say(told, figures, faults)
    sys.exit(1 if faults else 0)


def _say(told: Published, figures: dict[str, object], faults: list[str]) -> None:
    click.echo(f"{told.title}：名单 {figures['size']} 件，必查 {figures['must']} 件，比例 {told.percent}%")
    click.echo(f"名单摘要 {told.digest}")
    click.echo(f"种子     {figures['seed']}" if told.number else "还没有号码，只核对名单。")
    for fault in faults:
        click.echo(f"不符：{fault}", err=True)
    if not faults:
        click.echo(f"重做一遍，抽中的 {len(told.picked)} 件全部相同。" if told.number else "名单与摘要相符。")


@sample.command("text")
@click.argument("number", type=int)
def text_command(number: int) -> None:
    """打印一次抽签公布的文件：名单、比例、公开号码、抽中的。"""
    click.echo(_stored(number).text(), nl=False)


def _stored(number: int) -> Published:
    use_instance()
    from huimin.jobs.working import everywhere
    from huimin.samples.models import Draw
    from huimin.samples.queries import published

    with everywhere():
        draw = Draw.objects.filter(pk=number).first()
        if draw is None:
            raise Refusal(f"没有第 {number} 号抽签", remedy="请看抽查页面上的编号")
        return published(draw)


def _file(path: Path) -> Published:
    try:
        content = path.read_bytes() if path.stat().st_size <= FILE_BYTES_MAX else b"\xff"
        return read_published(content.decode("utf-8-sig"))
    except OSError as gone:
        raise BadInput("打不开这个文件", where=path.name, remedy="请写抽签编号，或抽签页面下载的文件") from gone
    except UnicodeDecodeError as wrong:
        raise BadInput("不是抽签公布的文件", where=path.name, remedy="请用抽签页面下载的文件") from wrong

"""`./huimin policy export` and `import`: the adopted texts out to a folder or zip, and in again (POL-01, POL-02).

in    the instance's texts, or a folder or zip that somebody brings, and who answers for adopting it
out   files with always the same bytes for the same texts; or adopted texts, all of them or none

Importing is the installation's door: it opens an instance with the policies it starts from, or takes over a new edition of
the shipped ones. A county changes its own policies by drafting with hearing, reviews and approval, on the pages (POL-03);
versions that came in that way (`local/`) are neither changed nor ended by an import.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from huimin.kernel.errors import BadInput, Refusal
from huimin.policy.cli_sources import adopted_texts, day_of, json_option, use_database
from huimin.policy.exchange import read_bundle, write_bundle
from huimin.rules import few_cases_words, read_book_texts, run_cases

if TYPE_CHECKING:
    from huimin.organisation.acting import Actor

LOCAL = "local/"
DOOR = "这是安装用的入口，不经听证、审查和批准；本县修改政策请在网页“政策”中起草报批。"


@dataclass(frozen=True)
class Change:
    """What an import does to the texts in use, by path."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    ended: tuple[str, ...]
    unchanged: int

    @property
    def words(self) -> str:
        return f"新增 {len(self.added)} 个文件，改动 {len(self.changed)} 个，停用 {len(self.ended)} 个，不变 {self.unchanged} 个"


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), default=None, help="改为导出这个文件夹或 zip 里的政策")
@json_option
def export_command(target: Path, folder: Path | None, as_json: bool) -> None:
    """把本实例已采用的政策写到一个文件夹，或（名称以 .zip 结尾）一个 zip 文件。"""
    texts = read_bundle(folder) if folder else adopted_texts()
    written = write_bundle(texts, target)
    if as_json:
        click.echo(json.dumps({"target": str(target), "files": list(texts), "written": written}, ensure_ascii=False))
    else:
        click.echo(f"{target}：{len(texts)} 个文件" + ("" if written else "，已有同样的内容，没有改动"))


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--by", "username", required=True, help="由谁负责：惠民办经办的用户名，记入变更记录")
@click.option("--date", "on", default=None, help="采用的日期；不写为本实例的业务日期")
@click.option("--dry-run", is_flag=True, help="只检查并说明会改动什么")
@json_option
def import_command(source: Path, username: str, on: str | None, dry_run: bool, as_json: bool) -> None:
    """采用一个文件夹或 zip 里的全部政策：有一处差错就整体拒绝；再次导入没有影响。

    所给的是全部政策：在用而其中没有的文件停用。这是安装用的入口，不经听证、审查和批准；本县修改政策请在网页上起草报批。
    """
    texts = read_bundle(source)
    use_database()
    change, filed = _change(texts)
    if dry_run:
        _require_good(filed)
    else:
        _adopt(username, on, filed)
    if as_json:
        told = {**change.__dict__, "adopted": not dry_run}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(("只检查，没有采用：" if dry_run else "") + change.words)
        click.echo(DOOR)


def _change(texts: dict[str, str]) -> tuple[Change, dict[str, str]]:
    """What would change, and the texts to adopt: without drafted versions that are already in use here.

    Raises BadInput for a drafted version that is not: it comes into force by approval alone.
    """
    from huimin.policy.queries import texts_in_use

    live = texts_in_use(using="maintenance")
    for path, text in texts.items():
        if path.startswith(LOCAL) and live.get(path) != text:
            remedy = "起草的版本只能在本实例起草报批；请把它移出文件夹再导入"
            raise BadInput(f"{LOCAL} 下是别处起草的版本", where=path, remedy=remedy)
    filed = {path: text for path, text in texts.items() if not path.startswith(LOCAL)}
    before = {path: text for path, text in live.items() if not path.startswith(LOCAL)}
    added = tuple(path for path in filed if path not in before)
    changed = tuple(path for path in filed if path in before and before[path] != filed[path])
    ended = tuple(path for path in before if path not in filed)
    return Change(added, changed, ended, len(filed) - len(added) - len(changed)), filed


def _require_good(texts: dict[str, str]) -> None:
    book = read_book_texts(texts)
    if few := few_cases_words(book):
        raise Refusal(few[0], remedy="请补写案例后再导入")
    failed = [case for case in run_cases(book) if not case.passed]
    if failed:
        first = failed[0]
        raise Refusal(
            f"{len(failed)} 个案例没有通过", why=f"{first.where} {first.case}：{first.fault}", remedy="请改正后再导入"
        )


def _adopt(username: str, on: str | None, texts: dict[str, str]) -> None:
    from huimin.organisation.queries import business_date
    from huimin.policy.commands import adopt_policies

    day = day_of(on) if on else business_date()
    adopt_policies(by=_officer(username, day), on=day, texts=texts)


def _officer(username: str, on: date) -> "Actor":
    """Who answers for the import: an account with the post that adopts policies, on that day. Raises Refusal."""
    from huimin.organisation.models import Appointment
    from huimin.organisation.posts import Post
    from huimin.organisation.queries import get_actor, live_on

    held = Appointment.objects.using("maintenance").filter(live_on(on), account__username=username)
    found = held.filter(post=Post.COUNTY_OFFICER, account__active=True).select_related("office", "account").first()
    if found is None:
        why = f"采用政策由{Post.COUNTY_OFFICER.label}负责"
        raise Refusal(
            f"{on} 没有用户名为“{username}”的{Post.COUNTY_OFFICER.label}", why=why, remedy="请核对用户名和日期"
        )
    return get_actor(found)

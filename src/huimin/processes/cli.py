"""`./huimin process list|show|check`: processes as files say them, without a database (CASE-04).

`check` tells every fault with line and column and exits with 1; `show` prints one process step by step.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click

from huimin.kernel.errors import Refusal
from huimin.policy.cli_sources import POLICY_FOLDER, names_of_places
from huimin.processes.book import ProcessBook, read_process_folder, read_processes
from huimin.processes.drawing import draw
from huimin.processes.language import Process, Step
from huimin.rules import PolicyFaults, read_book

_SUBJECTS = {"household": "户", "list": "名单", "proposals": "建议"}
_folder = click.option("--folder", type=click.Path(path_type=Path), default=POLICY_FOLDER, help="政策文件夹")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序使用")


@click.group("process")
def process() -> None:
    """办理流程：谁办、须有什么、几天、退到哪里。"""


def _read(folder: Path) -> ProcessBook:
    texts = read_process_folder(folder)
    if not texts:
        raise Refusal("没有流程文件", why=str(folder.name), remedy="流程文件放在各地文件夹的 processes 里")
    return read_processes(texts, read_book(folder).codes)


@process.command("list")
@_folder
@_json
def list_command(folder: Path, as_json: bool) -> None:
    """全部流程：编码、名称、地方、对象、步数、期限。"""
    book = _read(folder)
    places = names_of_places(dict.fromkeys(each.division for each in book.processes))
    rows = [
        {
            "code": each.code, "name": each.name, "place": places[each.division], "subject": _SUBJECTS[each.subject],
            "steps": len(each.steps), "limit": str(each.limit or ""), "programmes": _programmes(book, each.code),
        }
        for each in book.processes
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(
            f"{row['code']}  {row['name']}  {row['place']}  {row['subject']}  {row['steps']} 步"
            f"{'  共 ' + str(row['limit']) if row['limit'] else ''}  适用 {len(row['programmes'])} 项"  # type: ignore[arg-type]
        )


def _programmes(book: ProcessBook, code: str) -> list[str]:
    return sorted({rule.programme for rule in book.used_by(code)})


@process.command("show")
@click.argument("code")
@_folder
@_json
@click.option("--svg", is_flag=True, help="输出流程图（SVG）")
def show_command(code: str, folder: Path, as_json: bool, svg: bool) -> None:
    """一个流程的每一步。"""
    book = _read(folder)
    found = book.process(code)
    if svg:
        click.echo(draw(found))
    elif as_json:
        click.echo(json.dumps(_told(found), ensure_ascii=False, indent=2))
    else:
        click.echo(f"{found.name}（{found.basis}）{_limits(found)}")
        for number, step in enumerate(found.steps, 1):
            click.echo(f"{number:>2}. {_line(step)}")
        if found.after:
            click.echo(f"事后：{found.after}（{found.after.basis}）")


def _limits(found: Process) -> str:
    parts = [f"共 {found.limit}"] if found.limit else []
    parts += [f"可延长至 {found.extended}"] if found.extended else []
    parts += [f"不予批准的 {found.refusal}内告知"] if any(step.refuses for step in found.steps) else []
    return "".join(f"，{each}" for each in parts)


def _line(step: Step) -> str:
    parts = [f"{step.name}：{'或'.join(map(str, step.acting))}"]
    parts += [f"须有{'、'.join(map(str, step.demands))}"] if step.demands else []
    parts += [str(step.limit)] if step.limit else []
    parts += [f"可延长至 {step.extended}"] if step.extended else []
    parts += [f"不同于{'、'.join(step.another)}"] if step.another else []
    parts += [f"退回{'、'.join(step.returns)}"] if step.returns else []
    parts += [f"异议→{step.objection}"] if step.objection else []
    parts += ["可不予批准"] if step.refuses else []
    parts += ["作出决定"] if step.decides else []
    return "；".join([*parts, f"→{step.next}"])


def _told(found: Process) -> dict[str, Any]:
    return {
        "code": found.code, "name": found.name, "place": found.division, "basis": found.basis, "main": list(found.main),
        "limit": str(found.limit or ""), "extended": str(found.extended or ""), "refusal": str(found.refusal),
        "demanded": list(found.demanded),
        "steps": [
            {
                "key": step.key, "name": step.name, "acting": [str(each) for each in step.acting],
                "demands": [str(each) for each in step.demands], "limit": str(step.limit or ""), "next": step.next,
                "returns": list(step.returns), "objection": step.objection, "another": list(step.another),
                "refuses": step.refuses, "decides": step.decides, "basis": step.basis,
            }
            for step in found.steps
        ],
    }  # fmt: skip


@process.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=POLICY_FOLDER)
@_json
def check_command(folder: Path, as_json: bool) -> None:
    """读入全部流程文件；有任何差错即以 1 退出，逐条写明哪一行哪一列、应当怎样。"""
    try:
        book = _read(folder)
    except PolicyFaults as found:
        faults = [
            {"file": f.file, "line": f.line, "column": f.column, "what": f.what, "remedy": f.remedy}
            for f in found.faults
        ]
        click.echo(json.dumps({"faults": faults}, ensure_ascii=False) if as_json else str(found), err=not as_json)
        sys.exit(1)
    steps = sum(len(each.steps) for each in book.processes)
    if as_json:
        click.echo(
            json.dumps({"faults": [], "processes": len(book.processes), "steps": steps, "rules": len(book.rules)})
        )
    else:
        click.echo(f"流程 {len(book.processes)} 个，步骤 {steps} 步，适用 {len(book.rules)} 条，没有差错")

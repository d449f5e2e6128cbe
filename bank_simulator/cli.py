"""The command line: `python -m bank_simulator --home DIR <command>`.

Exit codes: 0 done; 1 something in the inbox could not be answered (a name that is none of ours, a link, a folder);
2 wrong input, nothing was changed; 3 the recount found the books wrong.
"""

import argparse
import json
import signal
import sqlite3
import sys
import threading
from datetime import date
from pathlib import Path

import yaml

from bank_simulator.accounts import open_accounts
from bank_simulator.answers import deliver, write_if_different
from bank_simulator.books import STATES, open_books, rename, set_state
from bank_simulator.counter import answer_again, pay, take_back
from bank_simulator.desk import Desk
from bank_simulator.errors import WrongInput
from bank_simulator.keys import Keys
from bank_simulator.layout import DESCRIPTION, Layout, read_layout
from bank_simulator.messages import write_camt053
from bank_simulator.misbehaving import WAYS
from bank_simulator.recount import recount, statement
from bank_simulator.sftp import serve_forever

DONE, UNANSWERED, WRONG_INPUT, OUT_OF_BALANCE = 0, 1, 2, 3
LOOK_AGAIN_SECONDS = 0.3


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        layout = _layout(options.format)
        with open_books(options.home) as books:
            return options.act(books, layout, options)
    except WrongInput as wrong:
        print(wrong, file=sys.stderr)
    except OSError as error:
        print(f"读写文件出错：{error}", file=sys.stderr)
    except sqlite3.IntegrityError:
        raise  # the books caught a mistake of this program: show where
    except sqlite3.DatabaseError as error:
        print(f"账簿打不开或正被占用：{error}；请确认 --home 的目录可写、没有别的程序长时间占用", file=sys.stderr)
    return WRONG_INPUT


def _layout(path: Path) -> Layout:
    try:
        return read_layout(path)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise WrongInput(f"格式说明 {path.name} 读不懂：{error!r}") from error


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        self.exit(WRONG_INPUT, f"参数有误：{message}\n{self.format_usage()}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m bank_simulator", description="模拟农村商业银行：收批量文件，记账，回盘")
    parser.add_argument("--home", type=Path, required=True, help="银行自己的目录，账簿在其中")
    parser.add_argument("--format", type=Path, default=DESCRIPTION, help="格式说明 YAML，缺省用 docs/formats 里的一份")
    commands = parser.add_subparsers(required=True, metavar="命令", parser_class=_Parser)
    opening = _command(commands, "open-accounts", _open_accounts, "从 CSV 开户；重复执行不会重复开户")
    opening.add_argument("file", type=Path, metavar="FILE.csv")
    _add_run(commands)
    settling = _command(commands, "settle", _settle, "办结处理中的明细，生成后续回盘")
    settling.add_argument("--date", type=_day, required=True, help="银行的业务日期 YYYY-MM-DD")
    settling.add_argument("--outbox", type=Path, help="立即写出回盘；缺省由下一次 run 写出")
    settling.add_argument("--keys", type=Path, help="签名密钥文件")
    _add_partner(commands)
    _add_clerk_commands(commands)
    _add_reports(commands)
    return parser


def _command(commands, name: str, act, summary: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary)
    command.set_defaults(act=act)
    return command


def _add_run(commands) -> None:
    running = _command(commands, "run", _run, "处理收件目录里每一份尚未处理的文件")
    running.add_argument("--inbox", type=Path, required=True, help="收件目录")
    running.add_argument("--outbox", type=Path, required=True, help="回盘目录")
    running.add_argument("--date", type=_day, required=True, help="银行的业务日期 YYYY-MM-DD")
    running.add_argument("--keys", type=Path, help="签名密钥文件（keys 命令生成）；给出后只收签了名的，回盘也签名")
    running.add_argument("--acknowledge", action="store_true", help="收到文件即放收妥回执 .ack")
    running.add_argument("--misbehave", type=_ways, default=frozenset(), help=f"故意办错，逗号隔开：{'、'.join(WAYS)}")
    running.add_argument("--watch", action="store_true", help="一直运行，来一份处理一份，直到 SIGTERM 或 Ctrl-C")


def _add_partner(commands) -> None:
    making = _command(commands, "keys", _keys, "生成本行的签名密钥，打印公钥")
    making.add_argument("file", type=Path, metavar="FILE.json")
    making.add_argument("--partner", action="append", default=[], help="对方的公钥（十六进制），可写几个")
    telling = _command(commands, "camt", _camt, "一个公户的对账单 camt.053")
    telling.add_argument("account", metavar="ACCOUNT")
    telling.add_argument("--from", dest="first", type=_day, required=True)
    telling.add_argument("--until", dest="last", type=_day, required=True)
    telling.add_argument("--reference", required=True, help="对账单编号，也用在文件名里")
    telling.add_argument("--outbox", type=Path, required=True)
    telling.add_argument("--keys", type=Path, help="签名密钥文件")
    serving = _command(commands, "serve", _serve, "SFTP 服务器：in 收件，out 回盘；打印端口")
    serving.add_argument("--root", type=Path, required=True, help="对方看到的目录")
    serving.add_argument("--host-key", type=Path, required=True, help="服务器私钥，没有就生成")
    serving.add_argument("--authorized", type=Path, required=True, help="对方的公钥，一行一把")
    serving.add_argument("--port", type=int, default=0)


def _add_clerk_commands(commands) -> None:
    stating = _command(commands, "set-state", _set_state, "改账户状态")
    stating.add_argument("account", metavar="ACCOUNT")
    stating.add_argument("state", metavar="STATE", choices=STATES, help="、".join(STATES))
    renaming = _command(commands, "rename", _rename, "改户名")
    renaming.add_argument("account", metavar="ACCOUNT")
    renaming.add_argument("name", metavar="NAME")
    returning = _command(commands, "take-back", _take_back, "已入账的一行又退回付款账户，生成后续回盘")
    returning.add_argument("number", metavar="BATCH_NO")
    returning.add_argument("row", metavar="ROW_ID")
    again = _command(commands, "answer-again", _answer_again, "一个批次的各行按现在的状态再回一次盘")
    again.add_argument("number", metavar="BATCH_NO")
    paying = _command(commands, "pay", _pay, "柜面转账：一个账号付给另一个，打印回单号")
    paying.add_argument("source", metavar="FROM")
    paying.add_argument("target", metavar="TO")
    paying.add_argument("amount_fen", metavar="FEN", type=int)
    for each in (returning, again, paying):
        each.add_argument("--date", type=_day, required=True, help="银行的业务日期 YYYY-MM-DD")


def _add_reports(commands) -> None:
    counting = _command(commands, "books", _books, "银行自己的重新清点；账不平时退出码为 3")
    counting.add_argument("--json", action="store_true", help="机器可读")
    stating = _command(commands, "statement", _statement, "一个账户的流水")
    stating.add_argument("account", metavar="ACCOUNT")
    stating.add_argument("--json", action="store_true", help="机器可读")


def _ways(text: str) -> frozenset[str]:
    if wrong := set(text.split(",")) - set(WAYS):
        raise argparse.ArgumentTypeError(f"没有“{min(wrong)}”，可写 {'、'.join(WAYS)}")
    return frozenset(text.split(","))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是日期，应为 YYYY-MM-DD") from None


def _open_accounts(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    opened, known = open_accounts(books, layout, options.file)
    print(f"新开 {opened} 户，已有 {known} 户")
    return DONE


def _run(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    if not options.inbox.is_dir():
        raise WrongInput(f"收件目录 {options.inbox} 不存在")
    options.outbox.mkdir(parents=True, exist_ok=True)
    desk = Desk(
        books, options.home, layout, options.date, keys=Keys.read(options.keys) if options.keys else None,
        misbehaviour=options.misbehave, acknowledges=options.acknowledge,
    )  # fmt: skip
    if options.watch:
        return _watch(desk, options)
    report = desk.run_once(options.inbox, options.outbox)
    _say(report.lines, report.unanswered)
    return UNANSWERED if report.unanswered else DONE


def _watch(desk: Desk, options: argparse.Namespace) -> int:
    stopped = threading.Event()
    for signal_no in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_no, lambda *_: stopped.set())
    said: set[str] = set()
    while not stopped.is_set():
        report = desk.run_once(options.inbox, options.outbox)
        _say(report.lines, [line for line in report.unanswered if line not in said])
        said.update(report.unanswered)
        stopped.wait(LOOK_AGAIN_SECONDS)
    return DONE


def _say(lines: list[str], unanswered: list[str]) -> None:
    for line in lines:
        print(line, flush=True)
    for line in unanswered:
        print(line, file=sys.stderr, flush=True)


def _settle(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    _say(Desk(books, options.home, layout, options.date).settle() or ["没有处理中的明细"], [])
    if options.outbox is not None:
        options.outbox.mkdir(parents=True, exist_ok=True)
        keys = Keys.read(options.keys) if options.keys else None
        deliver(books, options.home, options.outbox, sign=keys.sign if keys else None)
    return DONE


def _keys(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    print(Keys.make(options.file, options.partner).public)
    return DONE


def _camt(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    content = write_camt053(
        books, options.account, f"{options.first:%Y%m%d}", f"{options.last:%Y%m%d}", options.reference
    )
    options.outbox.mkdir(parents=True, exist_ok=True)
    name = f"camt053-{options.reference}.xml"
    if options.keys:
        write_if_different(options.outbox / f"{name}.sig", Keys.read(options.keys).sign(name, content))
    write_if_different(options.outbox / name, content)
    print(name)
    return DONE


def _serve(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    serve_forever(options.root, options.host_key, options.authorized, options.port)
    return DONE


def _set_state(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    set_state(books, options.account, options.state)
    print(f"账号 {options.account} 的状态改为 {options.state}")
    return DONE


def _rename(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    if not layout.fields["name"].rule.fullmatch(options.name):
        raise WrongInput(f"户名应为{layout.fields['name'].expected}")
    rename(books, options.account, options.name)
    print(f"账号 {options.account} 的户名改为 {options.name}")
    return DONE


def _take_back(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    print(take_back(books, layout, options.number, options.row, options.date).name(layout))
    return DONE


def _answer_again(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    print(answer_again(books, layout, options.number, options.date).name(layout))
    return DONE


def _pay(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    print(pay(books, options.source, options.target, options.amount_fen, options.date))
    return DONE


def _books(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    found = recount(books)
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _print_recount(found)
    return DONE if found["balanced"] else OUT_OF_BALANCE


def _print_recount(found: dict) -> None:
    for account in found["treasury_accounts"] + found["special_accounts"]:
        print(
            "{account} {name}：期初 {opening_fen}，拨入 {funded_fen}，退回交回 {came_back_fen}，划出 {transferred_fen}，代发 {paid_out_fen}，"
            "在途 {pending_fen}，余额 {balance_fen}（分）".format(**account)
        )
    for order in found["transfers"] + found["batches"]:
        print(
            "{number} 共 {rows_count} 笔 {amount_fen} 分：成功 {credited_count} 笔 {credited_fen} 分，失败 {refused_count} 笔 "
            "{refused_fen} 分，处理中 {pending_count} 笔 {pending_fen} 分".format(**order)
        )
    for refused in found["refused_files"]:
        print("拒收 {number} {code}：{detail}".format(**refused))
    print("账平" if found["balanced"] else "账不平：\n" + "\n".join(found["problems"]))


def _statement(books: sqlite3.Connection, layout: Layout, options: argparse.Namespace) -> int:
    found = statement(books, options.account)
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return DONE
    print("{account} {name}（{state}） 余额 {balance_fen} 分".format(**found))
    for entry in found["entries"]:
        sign = "+" if entry["direction"] == "in" else "-"
        print(
            "{booked_on} {memo} {sign}{amount_fen} 余 {balance_after_fen} {number} {counter_name}".format(
                sign=sign, **entry
            )
        )
    return DONE

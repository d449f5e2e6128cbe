"""How an office of a bank is spoken to, from a day on: proposed by one person, approved by another (PAY-04, SEC-02).

in    format, way, signature, whether accounts are checked first; the document it was agreed in
out   a setting in force from its day; batches keep the one they were prepared under

Always true: what is not there is refused (a format without description, a suite without keys, a server whose host key is
not pinned); a format without a digest of its own is signed; a format without a file for checks cannot demand them.
"""

import re
from datetime import date
from typing import Any

from huimin.kernel.bankfile import Format
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import live_on
from huimin.organisation.signing import sign
from huimin.payment.exchange.formats import get_format
from huimin.payment.exchange.keys import signing_key, ssh_key, verifying_keys
from huimin.payment.models import BankSetting

State, Route, Suite = BankSetting.State, BankSetting.Route, BankSetting.Suite
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,79}")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
_FOLDER = re.compile(r"(?!.*\.\.)[A-Za-z0-9_\u4e00-\u9fff][A-Za-z0-9_./\u4e00-\u9fff-]{0,79}|")
_ONE_FOLDER = re.compile(r"[A-Za-z0-9_\u4e00-\u9fff][A-Za-z0-9_\u4e00-\u9fff-]{0,39}|")

refused_by_constraint("bank_setting_once", AlreadyDone, "这家机构在这一天已有生效的设置", "请换一个生效日期")
refused_by_constraint("bank_setting_waits", AlreadyDone, "这家机构已有一份设置在等复核", "请先复核那一份")


@command(Post.FINANCE_OFFICER)
def propose_bank_setting(
    *, by: Actor, on: date, bank_office: int, valid_from: date, format: str, route: str, suite: str, name_check: bool,
    basis: str, host: str = "", port: int = 22, username: str = "", host_key: str = "", folder_out: str = "",
    folder_in: str = "",
) -> BankSetting:  # fmt: skip
    """A setting that waits for another person. BadInput names the field."""
    office = Office.objects.filter(live_on(on), pk=bank_office, kind=OfficeKind.BANK).first()
    if office is None:
        raise BadInput("没有这家代理银行", where="银行", remedy="请从名单里选")
    require_place(by, office.division)
    if valid_from < on:
        raise BadInput(f"{valid_from} 已经过去", where="生效日期", remedy="写今天或以后的日期；已编制的批次不受影响")
    _require_basis(basis)
    _require_fits(get_format(format), route, suite, name_check)
    way = _way(route, host.strip(), port, username.strip(), host_key.strip(), folder_out.strip(), folder_in.strip())
    return BankSetting.objects.create(
        division=by.division, bank_office=office, valid_from=valid_from, format=format, route=route, suite=suite,
        name_check=name_check, basis=basis.strip()[:120], proposed_by=by.appointment, proposed_on=on, **way,
    )  # fmt: skip


def _require_basis(basis: str) -> None:
    if len(basis.strip()) < 2:
        raise BadInput("没有写依据", where="依据", remedy="请写代发协议或接口约定的名称、日期")


def _require_fits(form: Format, route: str, suite: str, name_check: bool) -> None:
    if route not in Route.values or suite not in Suite.values:
        raise BadInput("没有这种方式", where="传送方式、签名", remedy="请从名单里选")
    sealed = form.layout != "iso20022" and any(each.name == "sha256" for each in form.files["payment"].trailer.fields)
    if suite == Suite.NONE and not sealed:
        raise BadInput(
            f"{form.title}没有正文校验码，必须签名",
            where="签名",
            why="不签名就看不出改动",
            remedy="请选 Ed25519 或 SM2",
        )
    if name_check and "check" not in form.files:
        raise BadInput(
            f"{form.title}没有户名核验文件",
            where="户名核验",
            why="没有约定怎么问、怎么答",
            remedy="请换一种格式，或不要求核验",
        )


def _way(
    route: str, host: str, port: int, username: str, host_key: str, folder_out: str, folder_in: str
) -> dict[str, Any]:
    """Where files go; a server's host key is pinned as a whole line, never learnt from the server."""
    rule = _FOLDER if route == Route.SFTP else _ONE_FOLDER
    for value, where in ((folder_out, "送件目录"), (folder_in, "取件目录")):
        if not rule.fullmatch(value):
            raise BadInput("目录名不能用", where=where, remedy="用字母、数字、汉字和短横，不能有“..”")
    if route == Route.FOLDER:
        return {"folder_out": folder_out, "folder_in": folder_in}
    if not _HOST.fullmatch(host) or not 0 < port < 65536:
        raise BadInput("服务器地址不能用", where="服务器", remedy="写主机名或 IP，端口 1 至 65535")
    if not _USER.fullmatch(username):
        raise BadInput("用户名不能用", where="用户名", remedy="写银行给的 SFTP 用户名")
    import asyncssh  # takes longer to load than Django; most who start never need it

    try:
        asyncssh.import_public_key(host_key)
    except (asyncssh.KeyImportError, ValueError):
        raise BadInput(
            "不是服务器公钥",
            where="服务器公钥",
            why="应是一行，如 ssh-ed25519 AAAA…",
            remedy="请向银行要，不要从网上取",
        ) from None
    return {
        "host": host, "port": port, "username": username, "host_key": host_key, "folder_out": folder_out,
        "folder_in": folder_in,
    }  # fmt: skip


@command(Post.FINANCE_RELEASER)
def decide_bank_setting(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> BankSetting:
    """The second person: it counts from its day, or goes back with a reason. Keys it needs must be there."""
    row = BankSetting.objects.select_for_update(of=("self",)).get(pk=number)
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出银行设置")
    if row.state != State.PROPOSED:
        raise AlreadyDone(f"这份设置{row.get_state_display()}", remedy="请刷新后查看")
    if not agreed and not refusal.strip():
        raise BadInput("没有写退回的原因", where="原因", remedy="请写明哪里不对")
    if agreed:
        _require_keys(row, on)
        sign(
            by=by,
            on=on,
            act="复核银行设置",
            subject=f"bank-setting:{row.pk}",
            content_digest=_digest(row),
            division=row.division,
        )
    row.state, row.refusal = (State.APPROVED, "") if agreed else (State.REFUSED, refusal.strip()[:200])
    row.decided_by, row.decided_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "decided_by", "decided_on"])
    return row


def _require_keys(row: BankSetting, on: date) -> None:
    if row.suite != Suite.NONE:
        signing_key(row.bank_office_id, row.suite, on)
        verifying_keys(row.bank_office_id, row.suite, on)
    if row.route == Route.SFTP:
        ssh_key(row.bank_office_id, on)


def _digest(row: BankSetting) -> str:
    return digest([
        row.bank_office_id, row.valid_from.isoformat(), row.format, row.route, row.host, row.port, row.username,
        row.host_key, row.folder_out, row.folder_in, row.suite, row.name_check, row.basis,
    ])  # fmt: skip

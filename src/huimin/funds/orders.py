"""Transfer orders (划款指令) as files for the bank: composed from stored rows, written whole or not at all (FUND-03).

in    released applications with their allotment, signature and the two accounts
out   `ZJ_….txt` in a folder; the same bytes however often, so a crash between release and writing loses nothing

The SHA-256 of the file is stored at release and held against what is written; an answer must name it. The files hold
plain account numbers (they are for the bank), so only their owner may read them.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings

from huimin.database.personal import ACCOUNT, plain
from huimin.divisions.queries import name_of
from huimin.funds.models import FundingApplication, Route, SpecialAccount
from huimin.kernel.bankfile import read_format, write_file
from huimin.kernel.errors import Refusal
from huimin.policy.models import Programme


class NoSpecialAccount(Refusal):
    """The place has no account to pay from or into."""


class NoProgramme(Refusal):
    """The policy list does not have this programme."""


class OrderChanged(Refusal):
    """What would be written is not what was released."""


PAYERS = {Route.TREASURY: SpecialAccount.Kind.TREASURY, Route.COUNTY: SpecialAccount.Kind.SPECIAL}
"""Which account of the paying place an order of a route draws on; the direct route has no orders."""


def row_id(application: FundingApplication) -> str:
    """How the one row of an order names its application."""
    return f"A{application.pk}"


@dataclass(frozen=True)
class Parties:
    """Who pays, whom, and for what: everything the orders of a set of applications need besides themselves."""

    payers: dict[str, SpecialAccount]
    payees: dict[str, SpecialAccount]
    laws: dict[str, Programme]

    def compose(self, application: FundingApplication, number: str, on: date) -> bytes:
        """The file of one transfer from the account of its route to the township's special account, dated `on`."""
        payee, law = self.payees[application.division], self.laws[application.programme]
        payer = self.payers[application.route]
        header = {
            "transfer_no": number, "programme_code": law.code, "programme_short": law.abbreviation,
            "business_date": on, "rows_count": 1, "amount_fen": application.amount_fen,
            "payer_account": plain(payer.account_enc, ACCOUNT), "payer_name": payer.name,
            "format_version": "1.0",
        }  # fmt: skip
        row = {
            "sequence": 1, "account": plain(payee.account_enc, ACCOUNT), "name": payee.name,
            "row_amount_fen": application.amount_fen, "purpose": f"{application.year}年{law.abbreviation}资金",
            "row_id": row_id(application),
        }  # fmt: skip
        return write_file(read_format(settings.BATCH_FORMAT_FILE), "transfer", header, [row])


def find_parties(treasury: str, applications: Iterable[FundingApplication]) -> Parties:
    """Three queries for any number of applications. NoSpecialAccount, NoProgramme for what is missing."""
    wanted = list(applications)
    own = {account.kind: account for account in SpecialAccount.objects.filter(division=treasury)}
    kinds = {route: PAYERS[route] for route in {each.route for each in wanted}}
    for kind in kinds.values():
        if kind not in own:
            raise _no_account(treasury, kind)
    payers = {route: own[kind] for route, kind in kinds.items()}
    places, codes = {each.division for each in wanted}, {each.programme for each in wanted}
    special = SpecialAccount.objects.filter(division__in=places, kind=SpecialAccount.Kind.SPECIAL)
    payees = {account.division: account for account in special}
    laws = {law.code: law for law in Programme.objects.filter(code__in=codes)}
    for division in sorted(places - payees.keys()):
        raise _no_account(division, SpecialAccount.Kind.SPECIAL)
    for code in sorted(codes - laws.keys()):
        raise NoProgramme(f"补贴政策清单里没有“{code}”", remedy="请先公布该项目的政策")
    return Parties(payers, payees, laws)


def _no_account(division: str, kind: SpecialAccount.Kind) -> NoSpecialAccount:
    return NoSpecialAccount(f"{name_of(division)}没有登记{kind.label}", why="无法划款", remedy="请先登记账户")


def put_order(folder: Path, application: FundingApplication, parties: Parties) -> Path:
    """Write the order of a released application; nothing is touched when the file stands there already."""
    assert application.released_on is not None
    data = parties.compose(application, application.transfer_no, application.released_on)
    if hashlib.sha256(data).hexdigest() != application.order_sha256:
        raise OrderChanged(
            f"划款单 {application.transfer_no} 的内容与放行时不同",
            why="账户或项目简称有变动",
            remedy="请报告监督员核查",
        )
    path = folder / f"ZJ_{application.transfer_no}.txt"
    if not path.exists() or path.read_bytes() != data:
        _replace(path, data)
    return path


def _replace(path: Path, data: bytes) -> None:
    """Through a temporary name, so that the bank never reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)

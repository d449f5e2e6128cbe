"""How a bank is spoken to: dated, by two people, and refused when something it needs is not there (PAY-04, SEC-02)."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.conf import settings

from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.paying import finance
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import decide_bank_setting, propose_bank_setting
from huimin.payment.exchange import keys, suites
from huimin.payment.exchange.formats import setting_of
from huimin.payment.exchange.signatures import BadSignature, require_signature, signature_of
from tests.payment.banking import agree, office

County = Callable[[str], str]
ON = dates.TRANSFERRED


def propose(**other: object) -> object:
    told = {
        "by": finance(), "on": ON, "bank_office": office(), "valid_from": ON, "format": "csv-utf8", "route": "folder",
        "suite": "ed25519", "name_check": False, "basis": "代发协议",
    }  # fmt: skip
    return propose_bank_setting(**told | other)  # type: ignore[arg-type]


def test_PAY_04_a_setting_is_dated_and_needs_two_people(county: County, tmp_path: Path) -> None:
    county("funded")
    releaser = finance(Post.FINANCE_RELEASER)
    with pytest.raises(NotYourPost):
        propose(by=releaser)
    for wrong, words in (
        ({"format": "nowhere"}, "没有“nowhere”"), ({"suite": "none"}, "必须签名"), ({"suite": "sm9"}, "没有这种方式"),
        ({"format": "iso20022", "name_check": True}, "没有户名核验文件"), ({"valid_from": ON - timedelta(days=1)}, "已经过去"),
        ({"bank_office": finance().office}, "没有这家代理银行"), ({"folder_out": "../x"}, "目录名"), ({"basis": " "}, "依据"),
        ({"route": "sftp", "host": "bank", "username": "u", "host_key": ""}, "不是服务器公钥"),
        ({"route": "sftp", "host": "a b", "username": "u"}, "服务器地址"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            propose(**wrong)
    row = propose()
    with pytest.raises(AlreadyDone, match="在等复核"):
        propose()
    with pytest.raises(NotYourPost):
        decide_bank_setting(by=finance(), on=ON, number=row.pk, agreed=True)
    if not keys.list_keys(office()):
        with pytest.raises(keys.NoKey, match="没有给这家银行签名的密钥"):
            decide_bank_setting(by=releaser, on=ON, number=row.pk, agreed=True)
    with pytest.raises(BadInput, match="退回的原因"):
        decide_bank_setting(by=releaser, on=ON, number=row.pk, agreed=False)
    decide_bank_setting(by=releaser, on=ON, number=row.pk, agreed=False, refusal="协议没签")
    later = agree(tmp_path, format="csv-utf8", valid_from=ON + timedelta(days=10))
    with reading(actor(Post.SETTLEMENT, "341524100000")):
        assert setting_of(office(), ON) is None, "not in force yet"
        assert setting_of(office(), ON + timedelta(days=10)).pk == later.pk, "seen by the township that prepares"
    with pytest.raises(AlreadyDone):
        decide_bank_setting(by=releaser, on=ON, number=later.pk, agreed=True)


@pytest.mark.parametrize("suite", ["ed25519", "sm2"])
def test_PAY_04_signatures_bind_name_content_and_key_and_keys_overlap(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another name, another content, an unknown or retired key, no signature: refused; old and new key both hold for a time."""
    monkeypatch.setattr(settings, "HOME", tmp_path)
    day = date(2021, 9, 1)
    first = keys.make_key(7, suite, day)
    keys.add_key(7, keys.IN, suite, day, first.public)
    made = signature_of(7, suite, day, "DF_1.txt", "ab" * 32)
    assert require_signature(7, suite, day, "DF_1.txt", "ab" * 32, made) == first.mark
    for name, sha256, told in (
        ("DF_2.txt", "ab" * 32, made), ("DF_1.txt", "cd" * 32, made), ("DF_1.txt", "ab" * 32, b""), ("DF_1.txt", "ab" * 32, None),
        ("DF_1.txt", "ab" * 32, b"huimin-sig-1 x y z"), ("DF_1.txt", "ab" * 32, made.replace(first.mark.encode(), b"0" * 16)),
        ("DF_1.txt", "ab" * 32, b"\xff" * 300), ("DF_1.txt", "ab" * 32, made[:-9] + b"AAAAAAA=\n"),
    ):  # fmt: skip
        with pytest.raises(BadSignature):
            require_signature(7, suite, day, name, sha256, told)
    with pytest.raises(Refusal, match="唯一一把"):
        keys.retire_key(7, keys.IN, 1, day)
    second = keys.make_key(7, suite, day + timedelta(days=5))
    keys.add_key(7, keys.IN, suite, day + timedelta(days=5), second.public)
    later = day + timedelta(days=5)
    assert keys.signing_key(7, suite, day).mark == first.mark and keys.signing_key(7, suite, later).mark == second.mark
    assert require_signature(7, suite, later, "DF_1.txt", "ab" * 32, made) == first.mark
    keys.retire_key(7, keys.IN, 1, later)
    with pytest.raises(BadSignature, match="没有登记或已停用"):
        require_signature(7, suite, later, "DF_1.txt", "ab" * 32, made)
    assert (tmp_path / "bank-keys.json").stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "bank-keys.json").read_text())["7"][0]["public"] == first.public
    with pytest.raises(BadInput, match="不是这种公钥"):
        suites.public_text(suite, "zz")


def test_PAY_04_sm2_reads_a_signature_another_program_made() -> None:
    """Made with OpenSSL 3 (SM2 with SM3, the default signer id): what another implementation signs we verify."""
    public, message, signature = SM2_VECTOR
    assert suites.verifies(suites.SM2, public, message, bytes.fromhex(signature))
    assert not suites.verifies(suites.SM2, public, message + b"x", bytes.fromhex(signature))


SM2_VECTOR = (
    "afcad14056c3a37486a9694c15fd0a8241601cd9e570d2ff8a2815a0c8a6578443877aed89cb3cf0b57a84563d843aa80c6695d778cc4c6f5d0b69466551bfda",
    b"huimin",
    "3045022100f5ca74ce9656640ad486078ab0cdaf164866274558bad53f0cf98dc07d49a78402200826675f416adf5ca044bacb34f041da0696fbb06522295ae608197bd46672c7",
)


def test_PAY_04_keys_from_the_command_line(county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    county("organised")
    from huimin.payment import bank_cli

    monkeypatch.setattr(bank_cli.instance, "use_instance", lambda: None)
    monkeypatch.setattr(settings, "HOME", tmp_path)
    number = str(actor(Post.BANK_OPERATOR, OfficeKind.BANK).office)
    cli = CliRunner()
    made = cli.invoke(bank_cli.bank, ["keys", "make", number])
    assert made.exit_code == 0 and "公钥交给银行" in made.output
    (tmp_path / "bank.hex").write_text(suites.make("ed25519")[0])
    assert cli.invoke(bank_cli.bank, ["keys", "add", number, str(tmp_path / "bank.hex")]).exit_code == 0
    assert isinstance(
        cli.invoke(bank_cli.bank, ["keys", "add", number, str(tmp_path / "bank.hex")]).exception, BadInput
    )
    assert isinstance(cli.invoke(bank_cli.bank, ["keys", "make", "99999"]).exception, BadInput)
    assert "ssh-ed25519" in cli.invoke(bank_cli.bank, ["keys", "make-ssh", number]).output
    told = cli.invoke(bank_cli.bank, ["keys", "list"]).output
    assert "本单位签名" in told and "银行签名" in told and "SFTP" in told
    assert not any(key.private and key.private[:40] in told for key in keys.list_keys())

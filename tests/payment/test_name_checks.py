"""Accounts are asked about before money goes to them, where the bank's setting demands it (PAY-04, PAY-06)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError

from huimin.database.bulk import fetch_one, run
from huimin.demo import dates
from huimin.demo.paying import finance, releasers
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import ask_name_check, prepare_batch, release_batch, take_result
from huimin.payment.commands.states import WrongState
from huimin.payment.models import NameCheck, NameCheckLine, PaymentException
from tests.payment.banking import begin
from tests.stages import Stages
from tests.workbench.people import client_of

County = Callable[[str], str]


def test_PAY_04_only_accounts_the_bank_called_right_are_paid(stages: Stages, county: County, tmp_path: Path) -> None:
    """Asked in one file; refused while the answer is out; wrong ones wait as exceptions; the database holds it too."""
    told = begin(stages, county, tmp_path, "rural-bank-batch")
    told.agree(name_check=True)
    with pytest.raises(WrongState, match="没有核验结果"):
        prepare_batch(by=told.settlement, on=dates.PREPARED, roster_id=told.roster.pk)
    with pytest.raises(NotYourPost):
        ask_name_check(by=finance(), on=dates.TRANSFERRED, roster_id=told.roster.pk)
    check = told.ask()
    assert 0 < check.lines_count <= told.roster.lines_count
    with pytest.raises(AlreadyDone, match="在等银行"):
        told.ask()
    releaser = client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    assert "写出 1 个银行文件" in releaser.get("/batches/").content.decode()
    assert "写出银行文件" in releaser.get("/").content.decode()
    [path] = told.write()
    assert path.name.startswith("HM_") and b"|".join([b"D", b"1"]) in path.read_bytes()
    told.run_bank(on=dates.TRANSFERRED)
    [answer] = [each for each in told.inbox.iterdir() if each.name.startswith("HMR_") and each.suffix == ".txt"]
    signature = answer.with_name(answer.name + ".sig").read_bytes()
    with pytest.raises(BadInput, match="签名"):
        take_result(by=finance(), on=dates.PREPARED, data=answer.read_bytes(), file_name=answer.name)
    lines = answer.read_bytes().split(b"\r\n")
    short = b"\r\n".join([lines[0], *lines[2:]])
    with pytest.raises(BadInput):
        take_result(by=finance(), on=dates.PREPARED, data=short, file_name=answer.name, signature=signature)
    told.fetch(dates.PREPARED)
    with reading(finance()):
        checked = NameCheck.objects.get(pk=check.pk)
        wrong = NameCheckLine.objects.filter(check_file=check, state="wrong").count()
        right = NameCheckLine.objects.filter(check_file=check, state="right").count()
    assert checked.state == "answered" and right > 0 and right + wrong == check.lines_count
    batch = prepare_batch(by=told.settlement, on=dates.PREPARED, roster_id=told.roster.pk)
    with reading(finance()):
        held = PaymentException.objects.filter(roster=told.roster, kind="check")
        assert held.count() == wrong and all(each.code for each in held)
        assert batch.lines_count + wrong <= told.roster.lines_count
    run("UPDATE payment_namecheckline SET state = 'wrong' WHERE id = (SELECT max(id) FROM payment_namecheckline WHERE state = 'right')",
        using="maintenance")  # fmt: skip
    with pytest.raises(WrongState, match="核验的结果变了"):
        release_batch(by=releasers()[0], on=dates.RELEASED, batch_id=batch.pk)
    run("UPDATE payment_batch SET state = 'released', released_by = 1, released_on = %s, signature_id = (SELECT min(id) FROM audit_signature)"
        " WHERE id = %s", [dates.RELEASED, batch.pk], using="maintenance")  # fmt: skip
    with pytest.raises(IntegrityError, match="account not checked"):
        run(
            "INSERT INTO payment_instruction (batch_id, bank_office_id, division, line_id, sequence, account_enc, account_hash,"
            " amount_fen, state) SELECT %s, %s, l.division, l.id, l.line_no, c.account_enc, c.account_hash, l.amount_fen, 'sent'"
            " FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id WHERE l.roster_id = %s AND l.state = 'listed'",
            [batch.pk, batch.bank_office_id, told.roster.pk], using="maintenance",
        )  # fmt: skip
    assert (
        fetch_one("SELECT count(*) FROM payment_instruction WHERE batch_id = %s", [batch.pk], using="maintenance")[0]
        == 0
    )


def test_PAY_04_nothing_is_asked_where_nothing_is_demanded(stages: Stages, county: County, tmp_path: Path) -> None:
    told = begin(stages, county, tmp_path, "rural-bank-batch")
    told.agree()
    with pytest.raises(WrongState, match="不要求"):
        told.ask()
    assert prepare_batch(by=told.settlement, on=dates.PREPARED, roster_id=told.roster.pk).lines_count

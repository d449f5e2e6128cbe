"""A released batch, or a check of accounts, as the bank's file: made from stored rows, the same bytes however often.

in    a batch or a check, a stream
out   the file's bytes in the stream, and its digest; plain numbers exist here and in the file only

Rows come through a cursor of the server and are decrypted piece by piece: memory does not grow with the batch.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from huimin.database.bulk import streamed
from huimin.database.personal import ACCOUNT, ID_NUMBER, keyring
from huimin.kernel.bankfile import Format, Written, write_to
from huimin.kernel.periods import Period
from huimin.payment.exchange.formats import get_format
from huimin.payment.exchange.iso_writing import write_pain001
from huimin.payment.models import Batch, NameCheck
from huimin.policy.models import Programme

_PIECE = 5_000
PAYEE_NAME = "CASE WHEN l.authority_id IS NULL THEN l.name ELSE p.name END"
"""Whose name stands on the account: the beneficiary's, or of who draws for him."""
_FILE_ROWS = f"""
SELECT i.sequence, i.account_enc, {PAYEE_NAME}, p.id_number_enc, i.amount_fen, l.id
FROM payment_instruction i
JOIN payment_rosterline l ON l.id = i.line_id
JOIN registry_person p ON p.id = l.payee_id
WHERE i.batch_id = %s ORDER BY i.sequence
"""  # noqa: S608
_CHECK_ROWS = """
SELECT k.sequence, k.account_enc, k.name, p.id_number_enc, 0, k.id
FROM payment_namecheckline k JOIN registry_person p ON p.id = k.payee_id
WHERE k.check_file_id = %s ORDER BY k.sequence
"""


def batch_name(batch: Batch) -> str:
    return get_format(batch.format).files["payment"].name.format(batch_no=batch.batch_no)


def check_name(check: NameCheck) -> str:
    return get_format(check.setting.format).files["check"].name.format(check_no=check.check_no)


def write_batch(batch: Batch, sink: BinaryIO) -> Written:
    """The file of a batch whose instructions stand."""
    form = get_format(batch.format)
    law = Programme.objects.get(code=batch.programme)
    header = batch_header(form, batch, law.abbreviation)
    rows = batch_rows(batch, law.abbreviation, streamed(_FILE_ROWS, [batch.pk]))
    return write_rows(form, sink, header, batch.bank_office.name, rows)


def write_rows(
    form: Format, sink: BinaryIO, header: dict[str, Any], bank_name: str, rows: Iterator[dict[str, Any]]
) -> Written:
    """A payment file in this format."""
    if form.layout == "iso20022":
        return write_pain001(sink, form, header, bank_name, rows)
    return write_to(sink, form, "payment", header, rows)


def batch_header(form: Format, batch: Batch, abbreviation: str) -> dict[str, Any]:
    ring = keyring()
    return {
        "batch_no": batch.batch_no, "programme_code": batch.programme, "programme_short": abbreviation,
        "business_date": batch.released_on or batch.prepared_on, "rows_count": batch.lines_count,
        "amount_fen": batch.amount_fen, "payer_account": ring.decrypt(bytes(batch.payer.account_enc), ACCOUNT),
        "payer_name": batch.payer.name, "format_version": form.version,
    }  # fmt: skip


def batch_rows(batch: Batch, memo: str, rows: Iterator[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """(sequence, sealed account, name, sealed identity number, amount, reference) as rows of a file."""
    period = Period(batch.roster.period_from, batch.roster.period_until)
    told = f"{period.start:%Y%m}-{period.last_day:%Y%m}"
    for (sequence, _, name, _, amount, reference), account, id_number in _opened(rows):
        yield {
            "sequence": sequence, "account": account, "name": name, "id_type": "01", "id_number": id_number,
            "row_amount_fen": amount, "memo": memo, "period": told, "row_id": str(reference),
        }  # fmt: skip


def _opened(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    """(row, account, identity number) of rows (…, sealed account, name, sealed identity number, …)."""
    ring = keyring()
    while piece := list(islice(rows, _PIECE)):
        accounts = ring.decrypt_many([row[1] for row in piece], ACCOUNT)
        yield from zip(piece, accounts, ring.decrypt_many([row[3] for row in piece], ID_NUMBER), strict=True)


def write_check(check: NameCheck, sink: BinaryIO) -> Written:
    """The file that asks the bank about accounts; no money in it."""
    form = get_format(check.setting.format)
    header = {
        "check_no": check.check_no, "business_date": check.asked_on, "rows_count": check.lines_count,
        "payer_name": check.bank_office.name, "format_version": form.version,
    }  # fmt: skip
    rows = (
        {
            "sequence": sequence, "account": account, "name": name, "id_type": "01", "id_number": id_number,
            "row_id": str(reference),
        }
        for (sequence, _, name, _, _, reference), account, id_number in _opened(streamed(_CHECK_ROWS, [check.pk]))
    )  # fmt: skip
    return write_to(sink, form, "check", header, rows)

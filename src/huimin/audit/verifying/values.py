"""Compare every encrypted value with the keyed hash beside it (SEC-05, SEC-07).

The log keeps the hash and never the ciphertext, so that keys can rotate. An account number exchanged in its encrypted
column alone would therefore leave no record and no changed digest; but it no longer hashes to what stands beside it.
"""

from collections.abc import Iterator

from django.db import connections
from psycopg import sql

from huimin.audit.sealing import ALIAS
from huimin.audit.verifying.report import Kind, Report
from huimin.database.personal import keyring
from huimin.database.security import our_tables
from huimin.database.tables import SealedField, Table
from huimin.kernel.ciphers import Keyring, Unreadable


def sealed_pairs() -> Iterator[tuple[type[Table], str, str, str]]:
    """(model, encrypted column, hash column, purpose) of every encrypted column; `x_enc` holds purpose `x`."""
    for model in our_tables():
        for field in model._meta.fields:
            if isinstance(field, SealedField):
                purpose = field.column.removesuffix("_enc")
                yield model, field.column, f"{purpose}_hash", purpose


def check_values(report: Report) -> None:
    """Every value can be read and hashes to what stands beside it."""
    ring = keyring()
    for model, encrypted, hashed, purpose in sealed_pairs():
        table = model._meta.db_table
        for key, stored, commitment in _stream(table, model._meta.pk.column, encrypted, hashed):
            report.values += 1
            if not _fits(ring, stored, commitment, purpose):
                report.add(Kind.VALUE_EXCHANGED, f"{encrypted} 与 {hashed} 不符", table=table, row=str(key))


def _stream(table: str, key: str, encrypted: str, hashed: str) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Rows that hold a value; streamed, a county has millions."""
    query = sql.SQL(
        "COPY (SELECT {0}, {1}, {2} FROM {3} WHERE {1} IS NOT NULL OR {2} IS NOT NULL) TO STDOUT (FORMAT BINARY)"
    )
    names = [sql.Identifier(name) for name in (key, encrypted, hashed, table)]
    with connections[ALIAS].cursor() as wrapped, wrapped.cursor.copy(query.format(*names)) as copy:
        copy.set_types(["int8", "bytea", "bytea"])
        yield from copy.rows()


def _fits(ring: Keyring, stored: bytes | None, commitment: bytes | None, purpose: str) -> bool:
    if stored is None or commitment is None:
        return False
    try:
        return ring.lookup(ring.decrypt(stored, purpose), purpose) == commitment
    except Unreadable:
        return False

"""Prove that the log is whole and that the data are what the log says (操作日志核查; SEC-05, SEC-07).

in    the database, the seal key, the chain heads outside the database, the keyring of personal values
out   a Report: what was covered, and each finding with the record, table, row, time and appointment it concerns

`verify` first seals what can be sealed, then in one snapshot checks (chain) every seal's number, bounds, keyed hash and
head; (records) every record against what it hashed to when it was sealed; (rows) every row of every recorded table
against the last digest the log has of it, rows the log does not know, and logged rows that are gone; (values) every
encrypted value against the keyed hash beside it; (guards) that the triggers that write the log are in force.

Limits. A change made with the triggers switched off to a column the log does not cover (password hashes, last
sign-in) is not found. Records of the last moments, while an older transaction is open, are counted as unsealed. Who
holds both the database and the heads file can cut off the end of the chain; who also holds the key can forge all.
"""

from huimin.audit.verifying.report import Finding, Report
from huimin.audit.verifying.run import verify

__all__ = ["Finding", "Report", "verify"]

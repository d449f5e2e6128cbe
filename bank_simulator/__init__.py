"""A rural bank of its own, for trying Huimin against: files in, money moved once, files out (PAY-04, PAY-05, FUND-03).

    python -m bank_simulator --home DIR <command>

in    an inbox folder of payment batches (DF_*.txt) and funding transfers (ZJ_*.txt)
out   an outbox folder of answers (DFR_, ZJR_) and refusals of whole files (DFX_, ZJX_); its own books in SQLite

It shares with Huimin the format's description, `policy/banks/rural-bank-batch.yaml`, and nothing else: no code, no table.
The way of a file: desk (inbox) → reading (is it well formed?) → posting (judge rows, move money) → answers → desk (outbox).
"""

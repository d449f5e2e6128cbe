"""Invented numbers of the right form: identity numbers, bank accounts, telephones (REG-04).

in    birth days and sexes, or how many are wanted
out   ASCII digits as uint8 matrices (one row per number) and Arrow text

Always true: identity numbers pass `kernel.identity`, agree with birth date and sex, and are unique among themselves;
accounts pass the Luhn test; none can be a real person's, account or telephone, because the region 341599 belongs to
no place, the card prefix 6299990 to no bank, and mobile numbers do not begin with 1600.
Limits: 500 people of one sex a day, 10^7 telephones, 10^11 accounts.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from huimin.demo.population.chance import Bools, Ints
from huimin.kernel.identity import CHECK_CHARACTERS, CHECK_WEIGHTS

Text = NDArray[np.uint8]

REGION = 341599  # GB/T 2260 has no such place; 3415 is 六安市
CARD_PREFIX = 6299990  # invented; the accounts' first seven digits
PHONE_PREFIX = 1600  # invented: no operator has the block 160

_PER_DAY_AND_SEX = 500  # three sequence digits, odd for men and even for women
# Strides without a common factor with what they walk round: every value comes up once, in an order that looks drawn.
_SEQUENCE_STRIDE, _DAY_STRIDE = 137, 61
_ACCOUNT_STRIDE, _ACCOUNT_START, _ACCOUNT_ROUND = 7_306_881_247, 48_120_663_905, 10**11
_PHONE_STRIDE, _PHONE_START, _PHONE_ROUND = 6_180_341, 2_718_283, 10**7
_ZERO = ord("0")


def identity_numbers(birth_day: Ints, male: Bools) -> Text:
    """Eighteen characters for each (day since 1970-01-01, sex)."""
    day = birth_day.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    ymd = (month.astype(np.int64) // 12 + 1970) * 10_000 + (month.astype(np.int64) % 12 + 1) * 100
    ymd += (day - month).astype(np.int64) + 1
    sequence = _sequence(birth_day, male)
    digits = np.hstack((_digits(np.full(len(ymd), REGION), 6), _digits(ymd, 8), _digits(sequence, 3)))
    check = (digits.astype(np.int64) @ np.array(CHECK_WEIGHTS)) % len(CHECK_CHARACTERS)
    last = np.frombuffer(CHECK_CHARACTERS.encode(), np.uint8)[check]
    return np.hstack((digits + np.uint8(_ZERO), last[:, None]))


def _sequence(birth_day: Ints, male: Bools) -> Ints:
    """Three digits, different for all of one day and sex; the last is odd for men (GB 11643 4.2.3)."""
    key = birth_day * 2 + male
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    begins = np.flatnonzero(np.concatenate(([True], sorted_key[1:] != sorted_key[:-1])))
    rank = np.empty(len(key), np.int64)
    rank[order] = np.arange(len(key)) - np.repeat(begins, np.diff(np.append(begins, len(key))))
    assert rank.max(initial=0) < _PER_DAY_AND_SEX, "more births a day than three digits can tell apart"
    sequence: Ints = (rank * _SEQUENCE_STRIDE + birth_day * _DAY_STRIDE) % _PER_DAY_AND_SEX * 2 + male
    return sequence


def account_numbers(serial: Ints) -> Text:
    """Nineteen digits for each serial number, with the Luhn digit last (ISO/IEC 7812-1 annex B)."""
    middle = (serial * _ACCOUNT_STRIDE + _ACCOUNT_START) % _ACCOUNT_ROUND
    digits = np.hstack((_digits(np.full(len(serial), CARD_PREFIX), 7), _digits(middle, 11)))
    doubled = digits.astype(np.int64)
    doubled[:, ::-2] *= 2
    total = (doubled // 10 + doubled % 10).sum(axis=1)
    check = (-total % 10).astype(np.uint8)
    return np.hstack((digits, check[:, None])) + np.uint8(_ZERO)


def phone_numbers(serial: Ints) -> Text:
    """Eleven digits for each serial number."""
    assert serial.max(initial=0) < _PHONE_ROUND
    rest = _digits((serial * _PHONE_STRIDE + _PHONE_START) % _PHONE_ROUND, 7)
    return np.hstack((_digits(np.full(len(serial), PHONE_PREFIX), 4), rest)) + np.uint8(_ZERO)


def as_text(matrix: Text) -> pa.Array:
    """Arrow strings of equal length from rows of ASCII."""
    count, width = matrix.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(matrix)
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _digits(values: Ints, width: int) -> Text:
    """Decimal digits 0–9, most significant first."""
    out = np.empty((len(values), width), np.uint8)
    left = values.copy()
    for place in range(width - 1, -1, -1):
        out[:, place] = left % 10
        left //= 10
    return out

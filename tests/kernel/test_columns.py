"""Whole columns and many rows come to what one value and a list come to (SEC-04, SEC-05)."""

from datetime import date

import pytest

from huimin.kernel.ciphers import Keyring, Unreadable
from huimin.kernel.digests import digest, digest_rows


def test_a_digest_of_rows_is_that_of_their_list() -> None:
    for count in (0, 1, 5_000, 10_001):
        rows = [(n, "名", date(2021, 9, 30), None) for n in range(count)]
        assert digest_rows(iter(rows)) == digest(rows)


@pytest.mark.parametrize("suite", ["aes", "sm"])
def test_a_column_is_decrypted_as_its_values_are_and_a_changed_one_is_refused(suite: str) -> None:
    """SEC-04: also where an older key or another cipher sealed some of them."""
    old = Keyring({1: b"1" * 32}, b"l" * 32)
    ring = Keyring({1: b"1" * 32, 2: b"2" * 32}, b"l" * 32, suite)
    stored = [old.encrypt("甲", "account"), ring.encrypt("乙", "account"), *ring.encrypt_many(["丙"], "account")]
    assert ring.decrypt_many(stored, "account") == ["甲", "乙", "丙"]
    for wrong in (stored[1][:-1] + bytes([stored[1][-1] ^ 1]), b"", b"\x01\x09" + stored[0][2:]):
        with pytest.raises(Unreadable):
            ring.decrypt_many([wrong], "account")
    with pytest.raises(Unreadable):
        ring.decrypt_many(stored, "phone")

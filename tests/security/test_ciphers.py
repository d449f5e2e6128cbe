"""Encryption of personal values and their lookup hashes, in both suites (SEC-04)."""

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel import ciphers
from huimin.kernel.ciphers import Keyring, Unreadable, parse_keyring

OLD, NEW, LOOKUP = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
SUITES = ("aes", "sm")
suites = st.sampled_from(SUITES)
texts = st.text(st.characters(codec="utf-8"), max_size=80)


def ring(suite: str, keys: dict[int, bytes] | None = None) -> Keyring:
    return Keyring(keys or {1: OLD}, LOOKUP, suite)


@given(suites, texts)
def test_what_goes_in_comes_out(suite: str, text: str) -> None:
    assert ring(suite).decrypt(ring(suite).encrypt(text, "phone"), "phone") == text


@given(suites, texts)
def test_equal_texts_never_look_equal_but_are_found(suite: str, text: str) -> None:
    keys = ring(suite)
    assert keys.encrypt(text, "phone") != keys.encrypt(text, "phone")
    assert keys.lookup(text, "phone") == keys.lookup(text, "phone")
    assert len(keys.lookup(text, "phone")) == 32


@given(suites, texts, texts)
def test_lookups_tell_texts_and_purposes_apart(suite: str, one: str, other: str) -> None:
    keys = ring(suite)
    assert (keys.lookup(one, "phone") == keys.lookup(other, "phone")) == (one == other)
    assert keys.lookup(one, "phone") != keys.lookup(one, "account")


@given(suites, texts, st.data())
def test_a_changed_bit_is_noticed(suite: str, text: str, data: st.DataObject) -> None:
    stored = bytearray(ring(suite).encrypt(text, "phone"))
    place = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[place // 8] ^= 1 << place % 8
    with pytest.raises(Unreadable):
        ring(suite).decrypt(bytes(stored), "phone")


@pytest.mark.parametrize("suite", SUITES)
def test_another_purpose_is_refused(suite: str) -> None:
    with pytest.raises(Unreadable):
        ring(suite).decrypt(ring(suite).encrypt("6299000000000011284", "account"), "phone")


@pytest.mark.parametrize("suite", SUITES)
def test_keys_rotate_by_their_id(suite: str) -> None:
    before, both, after = ring(suite), ring(suite, {1: OLD, 2: NEW}), ring(suite, {2: NEW})
    old, new = before.encrypt("160", "phone"), both.encrypt("160", "phone")
    assert (old[1], new[1]) == (1, 2)
    assert both.decrypt(old, "phone") == both.decrypt(new, "phone") == after.decrypt(new, "phone") == "160"
    with pytest.raises(Unreadable):
        after.decrypt(old, "phone")
    assert before.lookup("160", "phone") == both.lookup("160", "phone"), "lookups outlive a rotation"


@pytest.mark.parametrize("suite", SUITES)
def test_the_wrong_key_under_the_right_id_is_refused(suite: str) -> None:
    with pytest.raises(Unreadable):
        ring(suite, {1: NEW}).decrypt(ring(suite).encrypt("160", "phone"), "phone")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x09\x01" + bytes(40), b"\x01\x01" + bytes(27)])
def test_what_is_no_stored_value_is_refused(suite: str, stored: bytes) -> None:
    with pytest.raises(Unreadable):
        ring(suite).decrypt(stored, "phone")


@given(suites, st.lists(texts, max_size=5))
def test_a_column_at_once_equals_one_by_one(suite: str, column: list[str]) -> None:
    keys = ring(suite)
    stored = keys.encrypt_many(column, "address")
    assert [keys.decrypt(value, "address") for value in stored] == column
    assert keys.lookup_many(column, "address") == [keys.lookup(text, "address") for text in column]


def test_a_value_of_one_suite_is_read_after_changing_to_the_other() -> None:
    assert ring("sm").decrypt(ring("aes").encrypt("160", "phone"), "phone") == "160"
    assert ring("aes").decrypt(ring("sm").encrypt("160", "phone"), "phone") == "160"


def test_sm4_gcm_equals_rfc_8998_appendix_a_1() -> None:
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    aad = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDDEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )
    cipher = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15"
        "A56834CBCF98C397B4024A2691233B8D"
    )
    tag = bytes.fromhex("83DE3541E4C2B58177E065A9BF7B62EC")
    assert ciphers._seal("sm", key, nonce, plain, aad) == cipher + tag
    assert ciphers._open("sm", key, nonce, cipher + tag, aad) == plain


def test_hmac_sm3_is_hmac_over_sm3() -> None:
    """RFC 2104, written out."""

    def sm3(data: bytes) -> bytes:
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()

    padded = LOOKUP.ljust(64, b"\0")
    inner = sm3(bytes(b ^ 0x36 for b in padded) + b"phone\x00160")
    assert ring("sm").lookup("160", "phone") == sm3(bytes(b ^ 0x5C for b in padded) + inner)


def test_a_keyring_is_read_from_the_environment() -> None:
    read = parse_keyring(f"1:{OLD.hex()}, 2:{NEW.hex()}", LOOKUP.hex(), "sm")
    assert read == Keyring({1: OLD, 2: NEW}, LOOKUP, "sm")
    for keys, suite in (("1:00", "aes"), (f"0:{OLD.hex()}", "aes"), (f"1:{OLD.hex()}", "des")):
        with pytest.raises(AssertionError):
            parse_keyring(keys, LOOKUP.hex(), suite)

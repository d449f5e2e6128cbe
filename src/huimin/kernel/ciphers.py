"""Encryption of personal values in columns, and the keyed hash that finds them again (SEC-04).

in    plain text, a purpose ("id_number", "account", "phone", "address", "payload")
out   bytes for the column; 32 bytes for the lookup column beside it

Always true: the same text never encrypts to the same bytes twice; a value encrypted for one purpose cannot be read as
another (the purpose is authenticated); the key id stands in the ciphertext, so that keys rotate; the lookup hash of
one text and purpose is always the same. Ciphers: AES-256-GCM with HMAC-SHA-256, or SM4-GCM (RFC 8998) with HMAC-SM3
(GB/T 32907, GB/T 32905) when the suite is "sm".
"""

import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC

from huimin.kernel.errors import Refusal

_NONCE = 12
_TAG = 16
_SUITES = {"aes": 1, "sm": 2}


class Unreadable(Refusal):
    """A stored value cannot be decrypted: wrong key, or the bytes were changed."""


@dataclass(frozen=True)
class Keyring:
    """Encryption keys by id, newest last, and the key of the lookup hash. `suite` is "aes" or "sm"."""

    keys: dict[int, bytes]
    lookup_key: bytes
    suite: str = "aes"

    def encrypt(self, text: str, purpose: str) -> bytes:
        """Bytes for the column: suite, key id, nonce, ciphertext with tag."""
        return self.encrypt_bytes(text.encode(), purpose)

    def encrypt_bytes(self, plain: bytes, purpose: str) -> bytes:
        """As `encrypt`, for a whole file."""
        key_id = max(self.keys)
        nonce = os.urandom(_NONCE)
        head = bytes((_SUITES[self.suite], key_id))
        return head + nonce + _seal(self.suite, self.keys[key_id], nonce, plain, purpose.encode())

    def encrypt_many(self, texts: Iterable[str], purpose: str) -> list[bytes]:
        """As `encrypt`, for a whole column; the cipher is set up once."""
        key_id = max(self.keys)
        if self.suite != "aes":
            return [self.encrypt(text, purpose) for text in texts]
        seal, head, aad = AESGCM(self.keys[key_id]).encrypt, bytes((_SUITES["aes"], key_id)), purpose.encode()
        out = []
        for text in texts:
            nonce = os.urandom(_NONCE)
            out.append(head + nonce + seal(nonce, text.encode(), aad))
        return out

    def decrypt(self, stored: bytes, purpose: str) -> str:
        """The plain text; Unreadable when the key is missing or the bytes are not what was stored."""
        return self.decrypt_bytes(stored, purpose).decode()

    def decrypt_bytes(self, stored: bytes, purpose: str) -> bytes:
        """As `decrypt`, for a whole file."""
        stored = bytes(stored)
        suites = {number: name for name, number in _SUITES.items()}
        if len(stored) < 2 + _NONCE + _TAG or stored[0] not in suites or stored[1] not in self.keys:
            raise _unreadable("密钥不在密钥环中，或数据已损坏")
        try:
            nonce, body = stored[2 : 2 + _NONCE], stored[2 + _NONCE :]
            return _open(suites[stored[0]], self.keys[stored[1]], nonce, body, purpose.encode())
        except InvalidTag as wrong:
            raise _unreadable("数据与密钥不符") from wrong

    def decrypt_many(self, stored: Iterable[bytes], purpose: str) -> list[str]:
        """As `decrypt`, for a whole column; each key's cipher is set up once."""
        openers = {key_id: AESGCM(key).decrypt for key_id, key in self.keys.items()}
        aad, aes, whole = purpose.encode(), _SUITES["aes"], 2 + _NONCE + _TAG
        out = []
        for given in stored:
            each = bytes(given)
            if len(each) < whole or each[0] != aes or each[1] not in openers:
                out.append(self.decrypt(each, purpose))
                continue
            try:
                out.append(openers[each[1]](each[2 : 2 + _NONCE], each[2 + _NONCE :], aad).decode())
            except InvalidTag as wrong:
                raise _unreadable("数据与密钥不符") from wrong
        return out

    def lookup(self, text: str, purpose: str) -> bytes:
        """32 bytes that are equal for equal texts of one purpose, and say nothing without the key."""
        message = purpose.encode() + b"\0" + text.encode()
        if self.suite == "aes":
            return hmac.digest(self.lookup_key, message, "sha256")
        mac = HMAC(self.lookup_key, hashes.SM3())
        mac.update(message)
        return mac.finalize()

    def lookup_many(self, texts: Iterable[str], purpose: str) -> list[bytes]:
        """As `lookup`, for a whole column."""
        return [self.lookup(text, purpose) for text in texts]


def _unreadable(why: str) -> Unreadable:
    return Unreadable("个人信息无法解密", why=why, remedy="请系统管理员核对密钥文件")


def _seal(suite: str, key: bytes, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
    if suite == "aes":
        return AESGCM(key).encrypt(nonce, plain, aad)
    encryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    return encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def _open(suite: str, key: bytes, nonce: bytes, body: bytes, aad: bytes) -> bytes:
    if suite == "aes":
        return AESGCM(key).decrypt(nonce, body, aad)
    decryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce, body[-_TAG:])).decryptor()
    decryptor.authenticate_additional_data(aad)
    return decryptor.update(body[:-_TAG]) + decryptor.finalize()


def parse_keyring(keys: str, lookup_key: str, suite: str) -> Keyring:
    """From the environment's form: `1:<64 hex>,2:<64 hex>` and 64 hex digits."""
    parsed = {}
    for item in keys.split(","):
        number, _, digits = item.strip().partition(":")
        parsed[int(number)] = bytes.fromhex(digits)
    assert suite in _SUITES, f"unknown cipher suite {suite}"
    assert all(len(key) == 32 and 0 < number < 256 for number, key in parsed.items())
    return Keyring(parsed, bytes.fromhex(lookup_key), suite)

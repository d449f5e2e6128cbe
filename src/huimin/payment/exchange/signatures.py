"""Detached signatures beside each file: `NAME.sig`, over the file's name and digest (PAY-04, SEC-05).

in    a file's name, the SHA-256 of its bytes, the bank's office and suite
out   the text of the signature file; or its check, which refuses

One line: `huimin-sig-1 SUITE KEY BASE64`. What is signed is `huimin-sig-1`, the name and the digest, each on a line, so
that yesterday's content under today's name is refused too. A file whose signature is missing or wrong is refused whole.
"""

import base64
import binascii
from datetime import date

from huimin.kernel.errors import BadInput
from huimin.payment.exchange import suites
from huimin.payment.exchange.keys import signing_key, verifying_keys

ENDING = ".sig"
BYTES_MAX = 1000
_HEAD = "huimin-sig-1"


class BadSignature(BadInput):
    """The file is not signed by the bank, or not as it came."""


def message(file_name: str, sha256: str) -> bytes:
    return f"{_HEAD}\n{file_name}\n{sha256}\n".encode()


def signature_of(office: int, suite: str, on: date, file_name: str, sha256: str) -> bytes:
    """The content of `file_name`.sig."""
    key = signing_key(office, suite, on)
    made = suites.sign(suite, key.public, key.private, message(file_name, sha256))
    return f"{_HEAD} {suite} {key.mark} {base64.b64encode(made).decode()}\n".encode()


def require_signature(office: int, suite: str, on: date, file_name: str, sha256: str, signature: bytes | None) -> str:
    """The mark of the key that signed. BadSignature when nothing did, or something else."""
    if not signature:
        raise _bad(file_name, "没有签名", f"约定用 {suites.TITLES[suite]} 签名，签名文件是 {file_name}{ENDING}")
    parts = signature[:BYTES_MAX].decode("ascii", "replace").split()
    if len(parts) != 4 or parts[0] != _HEAD:
        raise _bad(file_name, "签名文件读不出来", "应为一行：标志、算法、密钥、签名")
    _, told, mark, text = parts
    if told != suite:
        raise _bad(file_name, f"签名用的是 {told[:10]}", f"约定用 {suites.TITLES[suite]}")
    keys = {key.mark: key for key in verifying_keys(office, suite, on)}
    if mark not in keys:
        raise _bad(file_name, f"签名的密钥 {mark[:16]} 没有登记或已停用", "可能是别家银行的文件，或银行换了密钥")
    try:
        made = base64.b64decode(text, validate=True)
    except binascii.Error:
        made = b""
    if not suites.verifies(suite, keys[mark].public, message(file_name, sha256), made):
        raise _bad(file_name, "签名不对", "文件名或内容与银行签名时不同")
    return mark


def _bad(file_name: str, what: str, why: str) -> BadSignature:
    return BadSignature(what, where=file_name, why=why, remedy="整份不收，请银行重新送")

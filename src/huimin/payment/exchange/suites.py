"""The signature suites there are: Ed25519 by `cryptography`, SM2 with SM3 (GB/T 32918) by GmSSL. Pure.

in    a suite's name, key texts, bytes
out   new keys; a signature; whether a signature is of a key

Keys are texts: an Ed25519 public key is 64 hex digits, an SM2 one 128 (x and y). SM2 signs under the signer id that
GM/T 0009 gives as the default.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from gmssl_pyx import GmsslInnerError, InvalidValueError, sm2_key_generate, sm2_sign, sm2_verify

from huimin.kernel.errors import BadInput

ED25519, SM2 = "ed25519", "sm2"
TITLES = {ED25519: "Ed25519", SM2: "SM2"}
PUBLIC_DIGITS = {ED25519: 64, SM2: 128}
_RAW = serialization.Encoding.Raw


def make(suite: str) -> tuple[str, str]:
    """(public, private) of a new key."""
    if suite == SM2:
        public, private = sm2_key_generate()
        return public.hex(), private.hex()
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(_RAW, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    return key.public_key().public_bytes(_RAW, serialization.PublicFormat.Raw).hex(), private.hex()


def sign(suite: str, public: str, private: str, message: bytes) -> bytes:
    if suite == SM2:
        return bytes(sm2_sign(bytes.fromhex(private), bytes.fromhex(public), message))
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)).sign(message)


def verifies(suite: str, public: str, message: bytes, signature: bytes) -> bool:
    try:
        if suite == SM2:
            return bool(sm2_verify(bytes.fromhex(public), message, signature))
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
    except (InvalidSignature, GmsslInnerError, InvalidValueError, ValueError):
        return False
    return True


def public_text(suite: str, told: str) -> str:
    """A bank's public key as somebody hands it in: hex digits, or PEM for Ed25519. BadInput for anything else."""
    text = "".join(told.split()).lower()
    if suite == SM2 and len(text) == 130 and text.startswith("04"):
        text = text[2:]
    if len(text) == PUBLIC_DIGITS[suite] and all(each in "0123456789abcdef" for each in text):
        return text
    if suite == ED25519 and "BEGIN PUBLIC KEY" in told:
        try:
            key = serialization.load_pem_public_key(told.encode())
        except ValueError:
            key = None
        if isinstance(key, Ed25519PublicKey):
            return key.public_bytes(_RAW, serialization.PublicFormat.Raw).hex()
    raise BadInput(
        "不是这种公钥", where="公钥", why=f"{TITLES[suite]} 的公钥是 {PUBLIC_DIGITS[suite]} 位十六进制数字",
        remedy="请向银行要公钥文件，核对没有多字少字",
    )  # fmt: skip

"""This bank's signature keys: it signs its answers and accepts only files its partner signed (docs/formats/banks.md).

in    a JSON file {private, public, partner: [hex, …]} of Ed25519 keys; `make` writes one
out   the content of a `.sig` file; whether one is right
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_HEAD = "huimin-sig-1"


@dataclass(frozen=True)
class Keys:
    """Ours, and every public key of the partner that we accept."""

    private: str
    public: str
    partner: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "Keys":
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(told["private"], told["public"], tuple(told["partner"]))

    @classmethod
    def make(cls, path: Path, partner: list[str]) -> "Keys":
        key = Ed25519PrivateKey.generate()
        made = cls(key.private_bytes_raw().hex(), key.public_key().public_bytes_raw().hex(), tuple(partner))
        path.write_text(
            json.dumps({"private": made.private, "public": made.public, "partner": partner}), encoding="utf-8"
        )
        path.chmod(0o600)
        return made

    def sign(self, name: str, content: bytes) -> bytes:
        return self.sign_digest(name, hashlib.sha256(content).hexdigest())

    def sign_digest(self, name: str, sha256: str) -> bytes:
        made = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.private)).sign(_message(name, sha256))
        return f"{_HEAD} ed25519 {_mark(self.public)} {base64.b64encode(made).decode()}\n".encode()

    def verifies(self, name: str, sha256: str, signature: Path) -> bool:
        """Whether the file `signature` holds the partner's signature of this name and digest."""
        try:
            _, suite, mark, text = signature.read_text(encoding="ascii").split()
            public = next(each for each in self.partner if _mark(each) == mark)
            made = base64.b64decode(text, validate=True)
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(made, _message(name, sha256))
        except (OSError, ValueError, StopIteration, InvalidSignature, binascii.Error):
            return False
        return suite == "ed25519"


def _message(name: str, sha256: str) -> bytes:
    return f"{_HEAD}\n{name}\n{sha256}\n".encode()


def _mark(public: str) -> str:
    return hashlib.sha256(public.encode()).hexdigest()[:16]

"""Passwords: checked against the policy and hashed (SEC-08). Hashing is slow on purpose: do it before a transaction."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from huimin.kernel.errors import BadInput
from huimin.organisation.models import Account


def hash_password(password: str, *, account: Account | None = None) -> str:
    """The hash to store; BadInput in the office's words when the password is too weak."""
    try:
        validate_password(password, account)
    except ValidationError as weak:
        why = "；".join(message.rstrip("。") for message in weak.messages)
        raise BadInput("口令不合要求", where="口令", why=why, remedy="请用 10 位以上、含字母和数字的口令") from None
    return make_password(password)

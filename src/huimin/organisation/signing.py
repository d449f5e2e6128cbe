"""Signatures on decisions, rosters, releases and notices: over the digest of what was signed (SEC-05)."""

from datetime import date

from huimin.audit.models import Signature
from huimin.organisation.acting import Actor


def sign(*, by: Actor, on: date, act: str, subject: str, content_digest: str, division: str | None = None) -> Signature:
    """Record that `by` approved the content with this digest; inside the caller's transaction."""
    return Signature.objects.create(
        division=division or by.division,
        act=act,
        subject=subject,
        content_digest=content_digest,
        appointment=by.appointment,
        signer=by.title,
        address=by.address,
        business_date=on,
    )

"""How values look on pages: money, counts, masked values, periods, tags of states, kept queries."""

from datetime import date
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from huimin.kernel import masking, money
from huimin.kernel.digests import short
from huimin.kernel.periods import Period
from huimin.policy.queries import version_words as in_words
from huimin.workbench.acts import new_token

register = template.Library()

_TONES = {
    "late": {
        "failed",
        "returned",
        "rejected",
        "refused",
        "conflict",
        "unmatched",
        "upheld",
        "amount",
        "reversed",
        "late",
        "check",
        "wrong",
        "held",
    },
    "soon": {
        "open",
        "waiting",
        "proposed",
        "prepared",
        "applied",
        "unknown",
        "published",
        "running",
        "checking",
        "mapping",
        "ready",
        "compiled",
        "leave",
        "owed",
        "issued",
    },
    "done": {
        "explained",
        "released",
        "granted",
        "taken",
        "settled",
        "paid",
        "answered",
        "ended",
        "closed",
        "approved",
        "finished",
        "dismissed",
        "transferred",
        "delivered",
        "valid",
    },
}


@register.filter
def yuan(amount_fen: int | None) -> str:
    """`1,234.50` for a column headed 元; a dash where there is no amount."""
    return "—" if amount_fen is None else money.yuan(amount_fen)


@register.filter
def money_sign(amount_fen: int | None) -> str:
    """`¥1,234.50` in running text."""
    if amount_fen is None:
        return "—"
    return ("−¥" if amount_fen < 0 else "¥") + money.yuan(abs(amount_fen))


@register.filter
def count(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"


@register.filter
def masked_name(name: str | None) -> str:
    return masking.mask_name(name or "")


@register.filter
def card_tail(tail: str | None) -> str:
    """An account as pages show it when only its last four digits are known."""
    return f"尾号 {tail}" if tail else "—"


@register.filter
def short_digest(value: str | None) -> str:
    return short(value) if value else "—"


@register.filter
def version_words(value: str | None) -> str:
    return in_words(value) if value else "—"


@register.simple_tag
def period(start: date, until: date) -> str:
    return str(Period(start, until))


@register.simple_tag
def tag(state: str, label: str) -> SafeString:
    """A state in words, coloured as well."""
    tone = next((name for name, states in _TONES.items() if state in states), "")
    return format_html('<span class="tag {}">{}</span>', tone, label)


@register.simple_tag
def deadline(due: date | None, on: date) -> SafeString | str:
    """`超期 3 天`, `今天`, `明天`, or the date."""
    if due is None:
        return "—"
    left = (due - on).days
    if left < 0:
        return format_html('<span class="tag late">超期 {} 天</span>', -left)
    if left == 0:
        return format_html('<span class="tag soon">{}</span>', "今天")
    words = "明天" if left == 1 else due.isoformat()
    return format_html('<span class="tag{}">{}</span>', " soon" if left <= 3 else "", words)


@register.simple_tag
def once() -> SafeString:
    """The token that makes this form's act happen once (workbench.acts)."""
    return format_html('<input type="hidden" name="token" value="{}">', new_token())


@register.filter
def at(mapping: dict[Any, Any], key: Any) -> Any:
    """The value of a computed key, None where there is none."""
    return mapping.get(key)


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """The value of a computed key, the key itself where there is none."""
    return mapping.get(key, key)

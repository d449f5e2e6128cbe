"""Charts as SVG in the page: no script, readable in print and in grey; the numbers always stand in a table beside.

Bars before are light with a dark rim, bars after are dark, so that nothing is told by colour alone.
"""

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from huimin.kernel.money import yuan

register = template.Library()

WAS, IS, RIM = "#d3dbe2", "#14507a", "#57606a"
_WIDE, _HIGH, _FOOT, _HEAD = 660, 210, 24, 20


@register.simple_tag
def pair(before: int, after: int, top: int) -> SafeString:
    """Two bars, before over after, as parts of `top`; a picture of numbers that stand in the same row."""
    return format_html(
        '<svg class="pair" width="120" height="22" aria-hidden="true" focusable="false">'
        '<rect x="0" y="1" width="{}" height="9" fill="{}" stroke="{}" stroke-width="0.5"/>'
        '<rect x="0" y="12" width="{}" height="9" fill="{}"/></svg>',
        _part(before, top, 119), WAS, RIM, _part(after, top, 119), IS,
    )  # fmt: skip


def _part(value: int, top: int, whole: int) -> int:
    """Pixels; something is never drawn as nothing."""
    return 0 if value <= 0 or top <= 0 else max(1, value * whole // top)


@register.simple_tag
def columns_by_month(months: Sequence[Any]) -> SafeString:
    """Before and after of each month, side by side; `months` have start, before_fen, after_fen."""
    top = max((max(month.before_fen, month.after_fen) for month in months), default=0) or 1
    step = (_WIDE - 10) // max(len(months), 1)
    bars = format_html_join("", "{}", ((_month(month, 5 + at * step, step, top),) for at, month in enumerate(months)))
    return format_html(
        '<svg viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img" aria-labelledby="months-title">'
        '<title id="months-title">各月应发金额，浅色为现行政策，深色为草案；数字见下表</title>'
        '<text x="5" y="13" font-size="13" fill="{rim}">最高 {top} 元</text>'
        '<line x1="0" y1="{base}" x2="{wide}" y2="{base}" stroke="{rim}"/>{bars}</svg>',
        wide=_WIDE, high=_HIGH, rim=RIM, top=yuan(top), base=_HIGH - _FOOT, bars=bars,
    )  # fmt: skip


def _month(month: Any, left: int, step: int, top: int) -> SafeString:
    base, room, width = _HIGH - _FOOT, _HIGH - _FOOT - _HEAD, (step - 12) // 2
    was, now = _part(month.before_fen, top, room), _part(month.after_fen, top, room)
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}" stroke="{}" stroke-width="0.5"/>'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
        '<text x="{}" y="{}" font-size="13" text-anchor="middle" fill="{}">{}</text>',
        left + 4, base - was, width, was, WAS, RIM, left + 6 + width, base - now, width, now, IS,
        left + step // 2, _HIGH - 7, RIM, month.start.strftime("%y-%m"),
    )  # fmt: skip


@register.simple_tag
def bar(value: int, top: int) -> SafeString:
    """One bar as a part of `top`, beside the number it pictures."""
    return format_html(
        '<svg class="pair" width="160" height="14" aria-hidden="true" focusable="false">'
        '<rect x="0" y="1" width="{}" height="12" fill="{}"/></svg>',
        _part(value, top, 159), IS,
    )  # fmt: skip


@register.simple_tag
def columns(months: Sequence[tuple[Any, int]], title: str) -> SafeString:
    """A column a month; `months` are (first day, 分), and stand in a table or sentence beside."""
    top = max((amount for _, amount in months), default=0)
    step = (_WIDE - 10) // max(len(months), 1)
    base, room = _HIGH - _FOOT, _HIGH - _FOOT - _HEAD
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/><text x="{}" y="{}" font-size="13" text-anchor="middle" fill="{}">{}</text>',
        (
            (5 + at * step + 6, base - _part(amount, top, room), step - 12, _part(amount, top, room), IS,
             5 + at * step + step // 2, _HIGH - 7, RIM, f"{start.month}月")
            for at, (start, amount) in enumerate(months)
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="columns" viewBox="0 0 {wide} {high}" role="img" aria-label="{title}；数字见表">'
        '<text x="5" y="13" font-size="13" fill="{rim}">最高 {top} 元</text>'
        '<line x1="0" y1="{base}" x2="{wide}" y2="{base}" stroke="{rim}"/>{bars}</svg>',
        wide=_WIDE, high=_HIGH, rim=RIM, top=yuan(top), base=base, bars=bars, title=title,
    )  # fmt: skip


@register.filter
def signed(number: int) -> str:
    """`+1,204`, `−37`, `0`."""
    return f"+{number:,}" if number > 0 else f"−{-number:,}" if number < 0 else "0"


@register.filter
def signed_yuan(amount_fen: int) -> str:
    """`+1,204.50`, `−37.00`, `0.00`, for a column headed 元."""
    return f"+{yuan(amount_fen)}" if amount_fen > 0 else f"−{yuan(-amount_fen)}" if amount_fen < 0 else "0.00"

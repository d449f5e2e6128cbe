"""Money: whole 分 (`amount_fen`, int) inside, 元 on pages and papers. Never float.

Forms follow 会计基础工作规范 第52条: `¥1,234.50` touching the figure; 大写 with 整 after 元 or 角.
"""

import re
from decimal import Decimal

from huimin.kernel.errors import BadInput

FEN_MAX = 2**63 - 1


def yuan(amount_fen: int) -> str:
    """`1,234.50` (a minus sign U+2212 before a negative), for columns headed 元."""
    sign = "−" if amount_fen < 0 else ""
    whole, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{whole:,}.{fen:02d}"


def yuan_plain(amount_fen: int) -> str:
    """`1234.50`, for files and exports."""
    sign = "-" if amount_fen < 0 else ""
    whole, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{whole}.{fen:02d}"


_AMOUNT = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})")


def parse_yuan(text: str, *, where: str) -> int:
    """分 from `1,234.5`, full-width digits and spaces accepted; BadInput with `where` otherwise."""
    plain = text.translate(str.maketrans("０１２３４５６７８９．，－", "0123456789.,-"))
    plain = plain.replace(",", "").replace(" ", "").removeprefix("¥").removesuffix("元")
    if not _AMOUNT.fullmatch(plain):  # Decimal would take 1e5 and NaN, too
        raise BadInput(f"“{text}”不是金额", where=where, remedy="请填数字，如 1234.50")
    fen = Decimal(plain) * 100
    if fen != fen.to_integral_value() or abs(fen) > FEN_MAX:
        raise BadInput(f"“{text}”不是到分的金额", where=where, remedy="最多两位小数")
    return int(fen)


def in_words(amount_fen: int) -> str:
    """人民币大写: `人民币壹佰元零伍分`, `人民币壹拾元整`, 整 also after 角. From zero up to below 10^16 分."""
    assert 0 <= amount_fen < 10**16
    import cn2an  # a third of a second to load, for papers only

    words: str = cn2an.an2cn(yuan_plain(amount_fen), "rmb")
    return "人民币" + words + ("整" if words.endswith("角") else "")

"""The long-term list for the fixed board of a village (长期公示, CASE-07, PUB-05).

in    a village; the entitlements in force on the day
out   PDF/A-2b: masked names, members, programme and amount, month, hotline, digest, a code to the page that recomputes it

The digest is the list's, as `telling.lists` computes it on the page: the same list has the same digest, whenever it is printed.
"""

from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.divisions.queries import chain_names, find_division
from huimin.kernel.errors import BadInput
from huimin.kernel.money import in_words, yuan
from huimin.kernel.places import Level
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, command, record_event, require_place
from huimin.payment.papers.sheets import hotline_words, own_site, square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.queries import programme_names
from huimin.telling.lists import list_of
from huimin.telling.publicity import READERS

PER = {"month": "月", "quarter": "季", "half_year": "半年", "year": "年", "once": "次"}
TITLE = "社会救助对象长期公示"


def publicity_pdf(*, by: Actor, on: date, village: str, site: str = "", mark: str = "") -> bytes:
    """The list of a village as of `on`. BadInput when there is nobody on it; NoFonts."""
    content = gather_list(by=by, on=on, village=village)
    address = f"{(site or own_site()).rstrip('/')}/publicity/{village}/"
    code = square_code(f"{address}?paper={content['digest']}")
    return typeset("notice", {**content, "address": address, "code": code}, on=on, mark=mark)


@command(*READERS)
def gather_list(*, by: Actor, on: date, village: str) -> dict[str, Any]:
    """What the sheet says; remembers that it was taken."""
    require_place(by, village)
    found = find_division(village, on)
    if found is None or found.level != Level.VILLAGE:
        raise BadInput("长期公示按村打印", where="村", remedy="请选择一个村")
    listed = list_of(village, on)
    if not listed.rows:
        raise BadInput("这个村没有要长期公示的对象", where="村", why="名单是空的", remedy="旧的公示请取下")
    record_event(by, Event.Kind.EXPORTED, f"publicity:{village}", {"rows": len(listed.rows), "digest": listed.digest})
    names, place = programme_names(), "".join(chain_names(village, on)[2:])
    rows = [
        [str(number), wrappable(row.group), wrappable(row.masked_name), str(row.people), names.get(row.programme, row.programme),
         f"{yuan(row.amount_fen)}/{PER.get(row.period, '')}"]
        for number, row in enumerate(listed.rows, 1)
    ]  # fmt: skip
    return {
        "title": TITLE, "title_lines": [TITLE], "issuer": by.office_name, "place": f"{place}（{on.year}年{on.month}月）",
        "opening": "下列家庭（个人）正在享受社会救助，名单和金额与发放一致，有变化时更换。对名单有意见的，任何人都可以反映，可以不署名。",
        "hotline": hotline_words(rule_of(village).hotline), "heads": ["序号", "村民组", "姓名", "人口", "项目", "金额（元）"],
        "widths": [1.1, 1.6, 1.8, 1.1, 4.0, 2.4], "rights": [False, False, False, True, False, True], "rows": rows,
        "total": f"合计 {len(listed.rows)} 户（人），{listed.people} 人，¥{yuan(listed.amount_fen)}（{in_words(listed.amount_fen)}）",
        "date": day_in_words(on), "state": "", "digest": listed.digest,
    }  # fmt: skip

"""Home visits of the accepted applications, so that they are seen past their investigating step's first demand (CASE-02, VER-02).

in    applications that stand at a step which demands a visit (demo.asking)
out   each visited by the clerk and the village's information officer, signed by both sides; the first after an attempt at which
      nobody was at home, with a doubt that the household answers with a paper

Through the room's commands; repeating it adds nothing. No application goes a step on, so that no figure of the quarter changes.
"""

import math
import struct
import zlib
from typing import Any

from huimin.cases.models import Case
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post
from huimin.visits.doubts import settle_doubt
from huimin.visits.findings import Differs, Found, Neighbour
from huimin.visits.models import Doubt, Visit, VisitPaper
from huimin.visits.recording import record_visit
from huimin.visits.sending import Sent, send_visit
from huimin.visits.wanted import due_cases

ON = dates.CLOSED
SEEN = (
    ("户主慢性病，常年服药，生活能自理", "砖瓦房三间，家电老旧，自来水入户", "务农，农闲在镇上打零工", "看病和孩子上学是主要开支"),
    ("肢体残疾，行动不便", "土坯房两间，去年加固过", "没有就业，靠低产地和亲戚接济", "买药、日常吃用"),
    ("老人独居，听力差，身体虚弱", "老屋一间半，屋顶新补", "没有劳动收入，有养老金", "日常开支由侄子代买"),
)  # fmt: skip
KINDS = VisitPaper.Kind


def visit(county: County) -> Figures:
    """Go there, find, sign."""
    business_day(ON)
    clerk = actor(Post.CLERK, townships()[0])
    with reading(clerk):
        cases = list(due_cases(clerk.prefix, ON).rows().select_related("household").order_by("id"))
        seen = set(Visit.objects.filter(purpose=Visit.Purpose.APPLICATION).values_list("subject", flat=True))
    for number, case in enumerate(case for case in cases if case.subject not in seen):
        _go(clerk, case, number)
    with reading(clerk):
        signed = Visit.objects.filter(state=Visit.State.SIGNED).count()
        return {"visits": signed, "doubts": Doubt.objects.count()}


def _go(clerk: Actor, case: Case, number: int) -> None:
    officer = actor(Post.INFORMATION_OFFICER, case.division[:12])
    went = [clerk.appointment, officer.appointment]
    told: dict[str, Any] = {
        "household": case.household_id, "purpose": "application", "subject": case.subject, "case_id": case.pk,
        "visited_on": ON, "investigators": went,
    }  # fmt: skip
    if number == 0:
        record_visit(by=clerk, on=ON, **told, met="nobody", found=Found())
    signed = [Sent(KINDS.HOUSEHOLD, drawn(case.pk), "签名.png")]
    signed += [Sent(KINDS.INVESTIGATOR, drawn(case.pk * 7 + who), "签名.png", signer=who) for who in went]
    topics = dict(zip(("health", "living", "work", "spending"), SEEN[number % len(SEEN)], strict=True))
    differs = (Differs(what="院里停着一辆三轮车，说是借来的"),) if number == 0 else ()
    found = Found(topics, (Neighbour("王一平", "东邻", "确实困难，平时靠大家帮衬"),), differs)
    made = send_visit(
        by=clerk, on=ON, told=told | {"met": "applicant", "met_name": "本人", "found": found}, papers=signed
    )
    with reading(clerk):
        doubts = list(Doubt.objects.filter(visit=made).values_list("pk", flat=True))
    for doubt in doubts:
        settle_doubt(
            by=clerk, on=ON, doubt_id=doubt, confirmed=False, answer="三轮车是邻居王一平的，停在院里避雨",
            evidence="邻居王一平的证明", content=drawn(doubt + 1000), file_name="证明.png",
        )  # fmt: skip


def drawn(seed: int) -> bytes:
    """A line as a hand draws it, as a PNG of 240 × 80 grey pixels."""
    wide, high = 240, 80
    rows = [bytearray(b"\xff" * wide) for _ in range(high)]
    for at in range(20, wide - 20):
        y = int(high / 2 + 22 * math.sin(at / 9 + seed) + 6 * math.sin(at / 3.1 + seed * 2))
        for thick in range(-1, 2):
            rows[y + thick][at] = 0x20
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )

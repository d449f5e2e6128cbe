"""A process as a picture: lanes for village, township and county, steps from top to bottom, ways back in dashes (CASE-04).

in    a process; for a case, the steps that were passed and the one it stands at
out   SVG text with a title and a description; no style sheet, no script, nothing from elsewhere

Layout: a row a step, a column a level that acts; straight ways are elbows between boxes, ways back and objections run in
their own track right of the lanes, shortest innermost, so that no two share a line.
"""

from collections.abc import Collection
from html import escape

from huimin.kernel.places import Level
from huimin.processes.language import END, LEVEL_WORDS, Process, Step

BOX_W, BOX_H, ROW, LANE, HEAD, TRACK, MARGIN = 176, 62, 92, 200, 34, 14, 12
_BLUE, _GREEN, _GREY, _INK, _RED = "#14507a", "#135c3e", "#56636e", "#0b1620", "#a3211a"


def draw(process: Process, done: Collection[str] = (), at: str = "") -> str:
    """The picture; `done` and `at` colour a case's way."""
    levels = sorted({step.acting[0].level for step in process.steps}, reverse=True)
    lane = {level: MARGIN + n * LANE for n, level in enumerate(levels)}
    spot = {step.key: (lane[step.acting[0].level], HEAD + n * ROW) for n, step in enumerate(process.steps)}
    backs = _backs(process)
    right = MARGIN + len(levels) * LANE
    width = right + (len(backs) + 1) * TRACK + 84
    end_y = HEAD + len(process.steps) * ROW
    parts = [_heads(levels, lane, end_y)]
    for n, (start, to, kind) in enumerate(backs):
        parts.append(_back(spot[start], spot[to], right + (n + 1) * TRACK, kind))
    for step in process.steps:
        parts.append(_way(spot[step.key], (lane[levels[-1]], end_y) if step.next == END else spot[step.next]))
    parts += [
        _box(step, spot[step.key], n, step.key in done, step.key == at) for n, step in enumerate(process.steps, 1)
    ]
    parts.append(_end((lane[levels[-1]], end_y)))
    return _svg(process, "".join(parts), width, end_y + 46)


def _svg(process: Process, inner: str, width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-labelledby="way-title way-desc" font-family="system-ui, Noto Sans CJK SC, Microsoft YaHei, sans-serif">'
        f'<title id="way-title">{escape(process.name)}流程图</title><desc id="way-desc">{escape(describe(process))}</desc>'
        '<defs><marker id="way-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{_INK}"/></marker><marker id="way-back" viewBox="0 0 8 8" refX="7" refY="4" '
        f'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{_RED}"/></marker></defs>'
        f"{inner}</svg>"
    )


def describe(process: Process) -> str:
    """The straight way in one sentence."""
    names = [process.step(key).name for key in process.main]
    return f"共 {len(process.steps)} 步：{'，'.join(names)}，{END}。退回和异议的去处见旁边的文字。"


def _heads(levels: list[Level], lane: dict[Level, int], bottom: int) -> str:
    found = []
    for level in levels:
        x = lane[level]
        found.append(
            f'<rect x="{x - 6}" y="4" width="{BOX_W + 12}" height="{bottom + 36}" rx="4" fill="#f3f6f8"/>'
            f'<text x="{x + BOX_W // 2}" y="22" text-anchor="middle" font-size="14" font-weight="700" fill="{_GREY}">'
            f"{LEVEL_WORDS[level]}</text>"
        )
    return "".join(found)


def _backs(process: Process) -> list[tuple[str, str, str]]:
    """Ways back as (from, to, 退回 or 异议), those that reach least far first: they get the inner tracks."""
    order = {step.key: n for n, step in enumerate(process.steps)}
    found = []
    for step in process.steps:
        if step.objection:
            found.append((step.key, step.objection, "异议"))
        found += [(step.key, to, "退回") for to in step.returns if to != step.objection]
    return sorted(found, key=lambda each: (abs(order[each[0]] - order[each[1]]), order[each[0]]))


def _back(start: tuple[int, int], to: tuple[int, int], track: int, kind: str) -> str:
    y1, y2 = start[1] + BOX_H - 16, to[1] + 16
    dashes = "2 3" if kind == "退回" else "7 3"
    colour = _GREY if kind == "退回" else _RED
    marker = "way-back" if kind == "异议" else "way-arrow"
    return (
        f'<path d="M{start[0] + BOX_W} {y1}H{track}V{y2}H{to[0] + BOX_W + 2}" fill="none" stroke="{colour}" '
        f'stroke-width="1.3" stroke-dasharray="{dashes}" marker-end="url(#{marker})"/>'
    )


def _way(start: tuple[int, int], to: tuple[int, int]) -> str:
    x1, y1, x2 = start[0] + BOX_W // 2, start[1] + BOX_H, to[0] + BOX_W // 2
    middle = to[1] - 14 if to[1] > y1 else y1 + 14
    return (
        f'<path d="M{x1} {y1}V{middle}H{x2}V{to[1] - 2}" fill="none" stroke="{_INK}" stroke-width="1.6" '
        'marker-end="url(#way-arrow)"/>'
    )


def _box(step: Step, spot: tuple[int, int], number: int, done: bool, at: bool) -> str:
    x, y = spot
    edge, fill = (_GREEN, "#e4f2eb") if done else (_BLUE, "#e8eef3") if at else ("#9fb0bd", "#ffffff")
    lines = [
        f"{'或'.join(dict.fromkeys(each.post.label for each in step.acting))}{'，' + str(step.limit) if step.limit else ''}"
    ]
    lines.append("、".join(str(each) for each in step.demands))
    small = "".join(
        f'<text x="{x + 10}" y="{y + 38 + 16 * n}" font-size="12" fill="{_GREY}">{escape(_short(line, 14))}</text>'
        for n, line in enumerate(filter(None, lines))
    )
    mark = " ✓" if done else " ◀" if at else ""
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="4" fill="{fill}" stroke="{edge}" '
        f'stroke-width="{2.4 if at or step.decides else 1.2}"/>'
        f'<text x="{x + 10}" y="{y + 20}" font-size="14" font-weight="700" fill="{_INK}">'
        f"{number} {escape(_short(step.name, 10))}{mark}</text>{small}"
    )


def _end(spot: tuple[int, int]) -> str:
    x, y = spot
    return (
        f'<rect x="{x + 48}" y="{y}" width="{BOX_W - 96}" height="28" rx="14" fill="{_INK}"/>'
        f'<text x="{x + BOX_W // 2}" y="{y + 19}" text-anchor="middle" font-size="13" fill="#ffffff">{END}</text>'
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

"""The process that sets one paper and ends, or one after another: run as a program, without Django (see typesetting.py).

in    on stdin a JSON object: `source` (a typst text of ours), `data` (its content), `fonts` (by role, families wanted,
      best first; null for none but the fallback), `on` (ISO date)
out   on stdout the PDF/A-2b, exit code 0; exit code 3 when no family of some role is installed
      With the argument `many`: orders until stdin ends, each behind its length in eight bytes; to each an answer of a state (0, 3,
      or 1 for what went wrong), the process's memory in megabytes and the length, eight bytes each, and the PDF or the words

typst keeps what it has laid out for the next ten documents, 350 MB for a village's cards, and gives it back to nobody;
in a process of its own that lasts as long as the paper. Data reaches typst as one JSON string, never as markup.
PDF/A forbids a missing glyph: a character that no font has becomes its code, `〔U+2EBF0〕`.
"""

import json
import re
import resource
import sys
from datetime import UTC, datetime
from typing import Any

STANDARD = "a-2b"
NO_FONTS = 3
_USUAL = re.compile(r"[ -~\n\u4e00-\u9fa5·—…“”‘’、。〈〉《》「」【】〔〕！（），：；？¥×−\u3000\u200b]+")


class Setter:
    """typst over the system's fonts, those of the wanted families that are installed."""

    def __init__(self, wanted: dict[str, list[str]]) -> None:
        import typst  # here: whoever only starts this process must not load it

        self.typst = typst
        self.system = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)
        there = {name.lower() for name in self.system.families()}
        lists = {role: [name for name in names if name.lower() in there] for role, names in wanted.items()}
        self.whole = all(lists.values())
        self.fonts = {role: list(dict.fromkeys([*names, *lists["head"]])) for role, names in lists.items()}

    def compile(self, source: str, data: dict[str, Any], on: str) -> bytes:
        made = self.typst.compile(
            source.encode(),
            format="pdf",
            font_paths=self.system,
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps({**data, "fonts": self.fonts}, ensure_ascii=False)},
            pdf_standards=STANDARD,
            timestamp=datetime.fromisoformat(on).replace(tzinfo=UTC),
        )
        assert isinstance(made, bytes)
        return made

    def printable(self, data: dict[str, Any]) -> dict[str, Any]:
        """The same content with the code in the place of every character that no font has."""
        missing = {char for char in _unusual(data) if not self._has_glyph(char)}
        instead = {ord(char): f"〔U+{ord(char):04X}〕" for char in missing}
        changed = _each_text(data, lambda text: text.translate(instead)) if missing else data
        assert isinstance(changed, dict)
        return changed

    def _has_glyph(self, char: str) -> bool:
        """Tried on a document of its own: only typst knows what it can set."""
        source = "#let d = json(bytes(sys.inputs.data))\n#set text(font: d.fonts.body)\n#d.char"
        dated = "#set document(date: datetime(year: 2000, month: 1, day: 1))\n"
        try:
            self.compile(dated + source, {"char": char}, "2000-01-01")
        except self.typst.TypstError:
            return False
        return True


def _unusual(content: Any) -> set[str]:
    """Characters outside what every Chinese font has."""
    found: set[str] = set()

    def look(text: str) -> str:
        found.update(_USUAL.sub("", text))
        return text

    _each_text(content, look)
    return found


def _each_text(content: Any, change: Any) -> Any:
    if isinstance(content, str):
        return change(content)
    if isinstance(content, dict):
        return {key: _each_text(value, change) for key, value in content.items()}
    if isinstance(content, list):
        return [_each_text(value, change) for value in content]
    return content


def main() -> int:
    """Set the paper on stdin."""
    state, made = _set(json.load(sys.stdin.buffer), {})
    sys.stdout.buffer.write(made)
    return state


def many() -> int:
    """Set papers until stdin ends; the fonts are looked for once."""
    setters: dict[str, Setter] = {}
    while len(head := sys.stdin.buffer.read(8)) == 8:
        order = json.loads(sys.stdin.buffer.read(int.from_bytes(head)))
        try:
            state, made = _set(order, setters)
        except Exception as wrong:  # noqa: BLE001 - the paper is told what went wrong, the next one is set
            state, made = 1, str(wrong).encode()
        for number in (state, _megabytes(), len(made)):
            sys.stdout.buffer.write(number.to_bytes(8))
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    return 0


def _set(order: dict[str, Any], setters: dict[str, Setter]) -> tuple[int, bytes]:
    wanted = json.dumps(order["fonts"])
    if wanted not in setters:
        setters[wanted] = Setter(order["fonts"])
    setter = setters[wanted]
    if not setter.whole:
        return NO_FONTS, b""
    return 0, setter.compile(order["source"], setter.printable(order["data"]), order["on"])


def _megabytes() -> int:
    """What this process holds in memory now."""
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * resource.getpagesize() >> 20


if __name__ == "__main__":
    sys.exit(many() if sys.argv[1:] == ["many"] else main())

"""渐退 of a draft as fields of a form (POL-02, DET-03).

in    渐退 as a policy text writes it; or the fields as filled in
out   the fields; or 渐退 again, empty when nothing was filled in

`steps` is one line a step, `1-2 100%`; `triggers` the keys of conditions, with spaces between. What the form does not
show (说明) is kept as it stands.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

Plain = dict[str, Any]
PHASE_OUT_FIELDS = {"triggers": "触发", "premise": "前提", "months": "月数", "steps": "比例", "citation": "依据"}


def phase_out_fields(plain: Mapping[str, Any]) -> dict[str, str]:
    """All empty for no 渐退, and for one that was dropped (作废)."""
    if "作废" in plain:
        return dict.fromkeys(PHASE_OUT_FIELDS, "")
    steps = [step for step in _listed(plain.get("比例")) if isinstance(step, dict)]
    return {
        "triggers": " ".join(str(each) for each in _listed(plain.get("触发"))),
        "premise": str(plain.get("前提", "")),
        "months": str(plain.get("月数", "")),
        "steps": "\n".join(f"{step.get('月', '')} {step.get('数值', '')}".strip() for step in steps),
        "citation": str(plain.get("依据", "")),
    }


def phase_out_plain(fields: Mapping[str, str], base: Mapping[str, Any]) -> Plain:
    """As a text writes it; what cannot be read is written as typed and is a fault of the draft at its place."""
    given = {name: fields.get(name, "").strip() for name in PHASE_OUT_FIELDS}
    if not any(given.values()):
        return {}
    lines = unicodedata.normalize("NFKC", given["steps"]).replace(":", " ").splitlines()
    plain: Plain = {"触发": given["triggers"].split()}
    for name in ("premise", "months"):
        if given[name]:
            plain[PHASE_OUT_FIELDS[name]] = given[name]
    plain["比例"] = [_step(line.split()) for line in lines if line.strip()]
    if given["citation"]:
        plain["依据"] = given["citation"]
    return plain | {
        key: value for key, value in base.items() if key not in (*plain, *PHASE_OUT_FIELDS.values(), "作废")
    }


def _step(words: list[str]) -> Plain:
    return {"月": words[0], "数值": " ".join(words[1:])}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Locks are clean: every requirement has hashes, none holds an address, and each .in line stands in its lock."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def faults() -> list[str]:
    found = []
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text()
        if "://" in text or re.search(r"^(--index|--find|--extra)", text, re.M):
            found.append(f"{lock.name}: holds an address")
        pins = re.findall(r"^([A-Za-z0-9._-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", text, re.M)
        loose = [line for line in text.splitlines() if line and line[0].isalpha()]
        if len(pins) != len(loose):
            found.append(f"{lock.name}: {len(loose) - len(pins)} requirements without hashes")
        names = {name.lower() for name, _ in pins}
        wanted = re.findall(r"^([A-Za-z0-9][A-Za-z0-9_.-]*)", lock.with_suffix(".in").read_text(), re.M)
        found += [
            f"{lock.name}: {name} is not locked" for name in wanted if name.lower().replace("_", "-") not in names
        ]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    found += [f"package-lock.json: {name} holds an address" for name, entry in packages.items() if "resolved" in entry]
    found += [f"package-lock.json: {n} has no hash" for n, entry in packages.items() if n and "integrity" not in entry]
    return found


if __name__ == "__main__":
    problems = faults()
    print("\n".join(problems) or "locks clean")
    sys.exit(bool(problems))

"""What facts rest on, part by part: so that a build knows, and says, what a change makes anew."""

import hashlib
import json
from functools import cache
from pathlib import Path

from warehouse.study import Study

ROOT = Path(__file__).parents[1]
# The code whose change can alter a day's metrics: what computes them, and what they are said to be.
DAY_CODE = (
    "transforms/activity/*.py",
    "warehouse/metrics/*.py",
    "warehouse/schema.py",
    "warehouse/tables/landed.py",
    "warehouse/tables/derived/activity.py",
    "warehouse/tables/derived/columns.py",
)
DAY_METRICS = "code of day metrics"
DAYS_REST_ON = ("[wear]", DAY_METRICS)


def definitions_of(study: Study) -> dict[str, str]:
    """Part -> hash: each part of study.toml as validated, and the code that gives facts meaning.

    Days of minutes rest on DAYS_REST_ON alone; every table above them is derived in each build.
    """
    parts = json.loads(study.model_dump_json())
    return {f"[{name}]": _hash(json.dumps(part).encode()) for name, part in parts.items()} | _code()


@cache
def _code() -> dict[str, str]:
    days = {file for pattern in DAY_CODE for file in ROOT.glob(pattern)}
    every = {*ROOT.glob("transforms/**/*.py"), *ROOT.glob("warehouse/**/*.py")}
    return {DAY_METRICS: _hash_of(days), "other code": _hash_of(every - days)}


def changed_parts(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The parts that are not what they were, in order of their names."""
    return sorted(part for part in before.keys() | now.keys() if before.get(part) != now.get(part))


def what_is_made_anew(changed: list[str]) -> str:
    """A sentence for whoever runs the build; blank when nothing changed.

    >>> what_is_made_anew(["[goals]", "[wear]"])
    'changed since the build before: [goals], [wear]; every day is computed again ([wear])'
    >>> what_is_made_anew(["[visits]"])
    'changed since the build before: [visits]; no day is computed again, all above the days is'
    """
    if not changed:
        return ""
    of_days = [part for part in changed if part in DAYS_REST_ON]
    again = (
        f"every day is computed again ({', '.join(of_days)})"
        if of_days
        else "no day is computed again, all above the days is"
    )
    return f"changed since the build before: {', '.join(changed)}; {again}"


def _hash_of(files: set[Path]) -> str:
    named = [f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes() for file in sorted(files)]
    return _hash(b"".join(named))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""What facts rest on, part by part: so that a build knows, and says, what a change makes anew."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
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
# The settings of [wear] that judge days by what was computed of their minutes. A setting not named
# here is taken for one of the minutes, whose change computes every day again.
JUDGING = frozenset({
    "valid_day_minutes", "valid_day_step_hours", "not_worn_below_minutes", "valid_week_days",
    "minute_memory_days", "implausible_day_steps", "implausible_minute_steps",
    "implausible_low_steps", "steps_only_rule", "regularity_days", "reconcile_pct",
})  # fmt: skip
OF_JUDGING = "[wear] that judges days"
DAY_METRICS = "code of day metrics"
LIBRARIES = "libraries"  # another version may add in another order, and end in another digit
DAYS_REST_ON = ("[wear]", DAY_METRICS, LIBRARIES)


def definitions_of(study: Study) -> dict[str, str]:
    """Part -> hash: each part of study.toml as validated, and the code that gives facts meaning.

    [wear] is in two: OF_JUDGING stands beside the settings that the metrics of minutes rest on.
    Days of minutes rest on DAYS_REST_ON alone; every table above them is derived in each build.
    """
    parts = json.loads(study.model_dump_json())
    wear = parts["wear"]
    parts["wear"] = {name: wear[name] for name in wear if name not in JUDGING}
    judging = {name: wear[name] for name in wear if name in JUDGING}
    settings = {f"[{name}]": _hash(json.dumps(part).encode()) for name, part in parts.items()}
    return settings | {OF_JUDGING: _hash(json.dumps(judging).encode())} | _code()


@cache
def _code() -> dict[str, str]:
    days = {file for pattern in DAY_CODE for file in ROOT.glob(pattern)}
    every = {*ROOT.glob("transforms/**/*.py"), *ROOT.glob("warehouse/**/*.py")}
    versions = "".join(f"{name} {version(name)}\n" for name in ("duckdb", "numpy", "pyarrow"))
    return {
        DAY_METRICS: _hash_of(days),
        "other code": _hash_of(every - days),
        LIBRARIES: _hash(versions.encode()),
    }


def changed_parts(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The parts that are not what they were, in order of their names."""
    return sorted(part for part in before.keys() | now.keys() if before.get(part) != now.get(part))


def what_is_made_anew(changed: list[str]) -> str:
    """A sentence for whoever runs the build; blank when nothing changed.

    >>> what_is_made_anew(["[goals]", "[wear]"])
    'changed since the build before: [goals], [wear]; every day is computed again ([wear])'
    >>> what_is_made_anew(["[visits]"])
    'changed since the build before: [visits]; every table above the days of minutes is made anew'
    """
    if not changed:
        return ""
    of_days = [part for part in changed if part in DAYS_REST_ON]
    again = (
        f"every day is computed again ({', '.join(of_days)})"
        if of_days
        else "every table above the days of minutes is made anew"
    )
    return f"changed since the build before: {', '.join(changed)}; {again}"


def _hash_of(files: set[Path]) -> str:
    named = [f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes() for file in sorted(files)]
    return _hash(b"".join(named))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

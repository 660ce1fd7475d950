"""What people read is true: links lead somewhere, commands exist, examples run."""

import ast
import re
from pathlib import Path

import click
import pytest
from support.house import PACKAGES, ROOT, modules

from dags.cli import main as stepwell
from ingestion.simulator.oauth import CLIENT_ID, CLIENT_SECRET
from ingestion.simulator.redcap import REDCAP_TOKEN
from warehouse.publish import STABLE_NAME, connect
from warehouse.tables import PUBLISHED

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BUILT_IN = {"Exception", "ValueError", "RuntimeError", "KeyError", "LookupError", "OSError"}
FOLDER = ".stepwell/demo/published"  # where `make demo` publishes
# What goes wrong in the simulator is a vendor's answer; what a private module raises, its
# neighbours catch. Nobody is shown either.
UNSEEN = re.compile(r"ingestion/simulator/|/_[a-z]\w*\.py$")
COMMAND = re.compile(r"(?:^|`)((?:make|stepwell) [^`\n#]+)", re.MULTILINE)


def dead_links(page: Path) -> list[str]:
    """Links to a file or heading of the project that is not there."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / file).resolve() if file else page
        if not path.exists():
            found.append(f"{page.name}: {target} is not there")
        elif heading and heading not in headings(path):
            found.append(f"{page.name}: {target} is no heading")
    return found


def headings(page: Path) -> set[str]:
    """Anchors of a page's headings, as Markdown viewers make them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


def commands_in(text: str) -> list[str]:
    return [found.strip() for found in COMMAND.findall(text)]


def fault_of(command: str, targets: set[str]) -> str | None:
    """Why a command of a page cannot be run as written; None when it can."""
    first, *words = command.split()
    if first == "make":
        unknown = [w for w in words if w not in targets and "=" not in w]
        return f"{command}: no target {unknown[0]}" if unknown else None
    return _fault_of_stepwell(command, words)


def _fault_of_stepwell(command: str, words: list[str]) -> str | None:
    here: click.Command = stepwell
    while words and isinstance(here, click.Group) and not words[0].startswith("-"):
        below = here.commands.get(words.pop(0))
        if below is None:
            return f"{command}: no such command"
        here = below
    known = {name for p in here.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}
    unknown = [w for w in words if w.startswith("--") and w.partition("=")[0] not in known]
    return f"{command}: no option {unknown[0]}" if unknown else None


def make_targets(root: Path) -> set[str]:
    text = (root / "Makefile").read_text(encoding="utf-8")
    return {
        name
        for names in re.findall(r"^([a-z][\w .-]*):(?!=)", text, re.MULTILINE)
        for name in names.split()
    }


def blocks(language: str) -> list[str]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def errors_of(root: Path) -> set[str]:
    """Names of the exceptions that the five packages declare, but for those only derived from."""
    bases: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path, tree in modules(root, package):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and not UNSEEN.search(str(path)):
                    bases[node.name] = {b.id for b in node.bases if isinstance(b, ast.Name)}
    found: set[str] = set()
    while more := {n for n, above in bases.items() if above & (BUILT_IN | found)} - found:
        found |= more
    return found - set().union(*bases.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert dead_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page):
    targets = make_targets(ROOT)
    faults = [fault_of(command, targets) for command in commands_in(page.read_text())]
    assert [fault for fault in faults if fault] == []


@pytest.fixture
def published(tmp_path, monkeypatch):
    """An empty published file where the README's examples look for it."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    con = connect()
    con.execute(f"ATTACH '{folder / STABLE_NAME}' AS w")
    con.execute("USE w")
    con.execute("CREATE SCHEMA ops")
    for table in PUBLISHED:
        table.create(con)
    con.close()
    monkeypatch.chdir(tmp_path)


def test_the_simulators_page_names_its_own_credentials():
    page = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^STEPWELL_(\w+(?:ID|SECRET|TOKEN))=(\w[\w-]*)$", page, re.MULTILINE))
    own = {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    vendors = {f"{v}_{k}": own[k] for v in ("GOOGLE_HEALTH", "FITBIT") for k in own}
    assert told == {**vendors, "REDCAP_TOKEN": REDCAP_TOKEN}


def test_every_error_has_its_page():
    explained = headings(ROOT / "docs/errors.md")
    found = errors_of(ROOT)
    assert {"ConsentLost", "StudyError"} <= found
    assert {name for name in found if name.lower() not in explained} == set()


def test_the_python_of_the_pages_runs(published):
    examples = blocks("python")
    assert examples
    for example in examples:
        exec(compile(example, "a page", "exec"), {})


def test_the_sql_of_the_pages_runs(published):
    con = connect()
    con.execute(f"ATTACH '{FOLDER}/{STABLE_NAME}' AS w (READ_ONLY)")
    con.execute("USE w")
    examples = blocks("sql")
    assert examples
    for example in examples:
        con.execute(example).fetchall()


def test_nothing_is_left_to_fill_in():
    assert [page.name for page in PAGES if "<!-- LEAD" in page.read_text()] == []


def test_every_decision_says_what_why_and_what_it_costs():
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    for page in decisions:
        text = page.read_text(encoding="utf-8")
        assert len(text.split()) < 350, f"{page.name} is longer than half a page"
        assert re.search(r"^Decided \d{4}-\d\d-\d\d\.", text, re.MULTILINE), page.name
        assert {"why", "cost"} <= headings(page), page.name


def test_an_error_without_a_page_is_found(tmp_path):
    (tmp_path / "ingestion").mkdir()
    (tmp_path / "ingestion/x.py").write_text(
        "class Base(Exception): ...\nclass Leaf(Base): ...\nclass Other: ..."
    )
    assert errors_of(tmp_path) == {"Leaf"}


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One thing\n[a](#one-thing) [b](#two) [c](gone.md) [d](https://example.org)")
    assert dead_links(page) == ["page.md: #two is no heading", "page.md: gone.md is not there"]


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("make test", False),
        ("make tset", True),
        ("stepwell --help", False),
        ("stepwell fly", True),
        ("stepwell --wings", True),
    ],
)
def test_a_wrong_command_is_found(command, fault):
    assert (fault_of(command, {"test"}) is not None) is fault


def test_commands_are_found_in_blocks_and_in_lines():
    text = "Run `make demo` or\n```\nstepwell check\n```\nto make sure; a `make` alone is a word."
    assert commands_in(text) == ["make demo", "stepwell check"]

"""Every page, for every kind of viewer, on every kind of study: it opens, and its SQL is true.

The pages come from dashboard.pages: a new page is asked the same without a word here. An analyst
who runs the SQL that a page shows, in the folder of the published file, gets what the page shows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from support import walking
from support.pages import opened, use
from support.published import empty_rows, home_of, publish_rows, small_study, write_study
from support.published_rich import rich_study, write_roles
from support.simulated import simulated
from support.trial import trial

from dashboard.pages import PAGES, PageFile
from warehouse.publish import stable_path
from warehouse.study import read_study

Cells = tuple[tuple[str, ...], list[tuple[Any, ...]]]  # as walking.cells gives them
WHY = "interim look of the board"
MASKED, ARMS, HAIFA, HAIFA_ARMS = (
    "coordinator", "unblinded_statistician", "haifa_coordinator", "haifa_statistician",
)  # fmt: skip
SEEN = [
    *[("empty", role) for role in (MASKED, ARMS)],
    ("small", MASKED),
    *[("rich", role) for role in (MASKED, ARMS, HAIFA, HAIFA_ARMS)],
    *[("simulated", role) for role in (MASKED, ARMS, HAIFA)],
]
# What is drawn of an answer in other words or another shape, by its first two columns; each has
# tests of its own that compare its cells. The last three come from the register, or from folders.
RETOLD = {
    ("participant_id", "action"),
    ("participant_id", "site"),
    ("participant_id", "wear_adherence"),
    ("site", "figure"),
    ("study_week", "participants"),
    ("x",),
    ("at", "who"),
    ("login", "role"),
    ("build_id", "built_at"),
}


def _empty(path: Path) -> None:
    write_study(path)
    write_roles(path)
    publish_rows(path, empty_rows())


def _small(path: Path) -> None:
    small_study(path)
    write_roles(path)


def _simulated(path: Path) -> None:
    """Eight participants over four weeks, with faults, from pull to publication."""
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(8, 4, faults=True) as sim,
        trial(path, sim, patch) as run,
    ):
        [at] = sim.world.pull_instants(1)
        run.enrol(at)
        run.pull(at)
        run.build()
    write_roles(path)


MAKE: dict[str, Callable[[Path], object]] = {
    "empty": _empty, "small": _small, "rich": rich_study, "simulated": _simulated,
}  # fmt: skip


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a study by its name; each is made once, when it is first asked for."""
    made: dict[str, Path] = {}

    def home(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            MAKE[name](made[name])
        return made[name]

    return home


@pytest.fixture
def come(homes, monkeypatch) -> Callable[[str, str], tuple[Path, str, list[PageFile]]]:
    """Come as a role to a study: the file shown, why its arms are open, the pages offered."""

    def as_role(study: str, role: str) -> tuple[Path, str, list[PageFile]]:
        home = homes(study)
        use(monkeypatch, home, role)
        [one] = [one for one in read_study(home / "study.toml").roles if one.code == role]
        path = stable_path(home_of(home), one.sees_arms)
        monkeypatch.chdir(path.parent)
        offered = [page for page in PAGES if not page.needs or page.needs in one.rights]
        return path, WHY if one.sees_arms else "", offered

    return as_role


@pytest.mark.parametrize(("study", "role"), SEEN)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_shown_sql_gives_what_is_shown(come, page, study, role):
    path, why, offered = come(study, role)
    if page not in offered:
        pytest.skip(f"{role} is not offered this page")
    assert_true(walking.unfolded(page.name, why), path)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_other_part_of_a_page_is_as_true(come, page):
    path, _, _ = come("rich", HAIFA)
    for address in walking.choices(opened(page.name)):
        assert_true(walking.unfolded(page.name, **address), path)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["trial_manager", "blinded_analyst", "data_engineer"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_opens_for_the_other_roles(come, page, role):
    _, _, offered = come("rich", role)
    if page in offered:
        assert not opened(page.name).exception


def test_a_number_that_is_not_its_sqls_is_found(come, monkeypatch):
    path, _, _ = come("rich", MASKED)
    at = walking.unfolded("flow")
    assert_true(at, path)
    shown = walking.shown_questions(at)
    monkeypatch.setattr(walking, "shown_questions", lambda _: shown[1:])
    with pytest.raises(AssertionError):
        assert_true(at, path)


def assert_true(at: AppTest, path: Path) -> None:
    """What is drawn from the file is what SQL on the page gives on the file."""
    assert not [one.value for one in at.error if "cannot be read" in one.value]
    answers = [walking.cells(walking.asked_again(sql, path)) for sql in walking.shown_questions(at)]
    for drawn in walking.tables(at):
        found = walking.cells(drawn)
        assert any(is_shown(found, one) for one in answers) or found[0][:2] in RETOLD, found[0]
    for alt, kept in walking.datasets(at).items():
        found_in = [walking.cells(one) for one in kept]
        assert any(is_of(one, answers) or one[0][:2] in RETOLD for one in found_in), alt


def is_shown(drawn: Cells, answer: Cells) -> bool:
    """Whether a table is an answer, some of its shares in whole percents."""
    if drawn[0] != answer[0] or len(drawn[1]) != len(answer[1]):
        return False
    columns = zip(zip(*drawn[1], strict=True), zip(*answer[1], strict=True), strict=True)
    return all(seen == told or seen == in_percents(told) for seen, told in columns)


def in_percents(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(100 * one) if isinstance(one, float) else one for one in cells)


def is_of(drawn: Cells, answers: list[Cells]) -> bool:
    """Whether a chart draws columns of one of the answers: each of its rows, in their order."""
    names, rows = drawn
    return any(
        set(names) <= set(known)
        and rows == [tuple(row[known.index(name)] for name in names) for row in found]
        for known, found in answers
    )

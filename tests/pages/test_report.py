"""The page of paper of a participant: one page, vectors, pseudonym only, as the viewer may see."""

from __future__ import annotations

import io
import re
import zlib
from contextlib import closing
from datetime import date
from functools import cache

import pypdf
import pytest
from support.pages import opened, use
from support.published import home_of, publish_rows, write_study
from support.published_story import story_rows, story_study

from dashboard import lettering, report
from dashboard.access import Viewer
from dashboard.queries import common
from dashboard.scope import open_scoped
from dashboard.shell import Page
from warehouse.publish import stable_path
from warehouse.study import read_study


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    story_study(folder)
    return folder


@cache
def paper(home, who: str, arms: bool = False, sites: tuple[str, ...] = ()) -> bytes:
    path = stable_path(home_of(home), arms)
    viewer = Viewer("ana", "coordinator", arms, sites)
    with closing(open_scoped(path, sites)) as con:
        build = common.build(con)
        study = read_study(home / "study.toml")
        page = Page("x", con, build, study, viewer, home_of(home), "dark", build["as_of"])
        return report.make(page, who, report._path(page))


def drawn(pdf: bytes) -> str:
    """The operators of the page."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    opened_streams = []
    for stream in streams:
        try:
            opened_streams.append(zlib.decompress(stream))
        except zlib.error:  # a stream that is not packed, such as metadata
            opened_streams.append(stream)
    return b"\n".join(opened_streams).decode("latin-1")


def texts(pdf: bytes) -> list[str]:
    """The texts of the page as a reader of PDF finds them."""
    found: list[str] = []
    [page] = pypdf.PdfReader(io.BytesIO(pdf)).pages
    page.extract_text(visitor_text=lambda text, *_: found.append(text.strip()))
    return [text for text in found if text]


def test_it_is_one_page_with_who_and_what_it_rests_on(home):
    pdf = paper(home, "P001")
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b(?!s)", pdf)) == 1
    told = texts(pdf)
    assert "Participant P001" in told
    assert "+8.0 better" in told
    foot = told[-1]
    assert "Data to 11 Feb 2026" in foot
    assert "build 20260212T060000000000Z" in foot
    assert "Arms hidden" in foot


def test_each_outcome_has_its_direction_n_scores_and_change(home):
    told = texts(paper(home, "P001"))
    at = told.index("Function", told.index("Outcomes by visit"))
    assert told[at : at + 6] == ["Function", "higher is better", "2", "50.0", "58.0", "+8.0"]
    at = told.index("Fear-avoidance, physical activity", at)
    # no score at baseline, none expected at week 4
    assert told[at : at + 4] == [
        "Fear-avoidance, physical activity",
        "lower is better",
        "0",
        "\u2013",
    ]


def rectangles(pdf: bytes) -> list[tuple[str, float]]:
    """Each filled rectangle as (colour, height), in the order of drawing."""
    found, colour = [], ""
    for paint, box in re.findall(
        r"([\d. ]+) rg|(-?[\d.]+ -?[\d.]+ [\d.]+ -?[\d.]+) re", drawn(pdf)
    ):
        if paint:
            colour = paint
        else:
            found.append((colour, abs(float(box.split()[3]))))
    return found


def test_every_day_is_a_bar_of_its_height_and_colour(home):
    blue = "0.2902 0.5922 0.7961"  # #4A97CB: a valid day without a goal met
    bars = [height for colour, height in rectangles(paper(home, "P001")) if colour == blue]
    *days, _legend = bars
    assert len(days) == 8  # seven of 5,000 steps and one of 5,100
    assert days[7] / days[0] == pytest.approx(5100 / 5000, rel=0.01)
    assert len(set(days[:7])) == 1
    dark = "0 0.3059 0.4863"  # #004E7C: the goal met on 8 and, still provisional, on 10 February
    assert len([colour for colour, _ in rectangles(paper(home, "P001")) if colour == dark]) == 2


@pytest.mark.parametrize("other", ["P002", "P003", "etmi", "ETMI.", "usual", "T01", "Session"])
def test_nobody_else_and_no_arm_is_on_it(home, other):
    title = "Self-directed exercise (ETMI) against usual physiotherapy for chronic low back pain"
    told = "\n".join(texts(paper(home, "P001"))).replace(title, "")
    assert other not in told


def test_the_arm_is_on_it_for_whom_it_is_shown(home):
    assert any("arm ETMI" in one for one in texts(paper(home, "P001", arms=True)))


def test_it_is_made_within_the_viewers_sites_alone(home):
    with pytest.raises(IndexError):
        paper(home, "P001", sites=("southampton",))
    assert "Participant P003" in texts(paper(home, "P003", sites=("southampton",)))


@pytest.fixture(scope="module")
def in_letters(tmp_path_factory):
    """What is read of the paper of a study whose title and site are called so."""
    folder = tmp_path_factory.mktemp("letters")
    rows = story_rows()
    new = {**rows["participant"][0], "participant_id": "P004", "starts_on": date(2026, 3, 2)}
    write_study(folder)
    publish_rows(folder, {**rows, "participant": [*rows["participant"], new]})
    study = folder / "study.toml"
    told = study.read_text()

    def read(title: str, site: str = "Haifa") -> list[str]:
        named = re.sub(r'(?m)^title = ".*"$', f'title = "{title}"', told, count=1)
        study.write_text(named.replace('label = "Haifa"', f'label = "{site}"'))
        return texts(paper.__wrapped__(folder, "P004"))  # of the study as it is now

    return read


def test_of_who_has_not_begun_it_says_so(in_letters):
    assert "Study day 1 has not come yet." in in_letters("A trial")


@pytest.mark.parametrize(
    ("title", "site"),
    [
        ("Exercise \u2013 “at home” … 40\u201365 €, Δ ≥ 2", "Łódź, żółć, ęą"),
        ("Άσκηση στο σπίτι", "Упражнения дома"),
        ("תרגול עצמי", "حيفا"),
    ],
)
def test_a_study_and_a_site_are_called_what_they_are_called(in_letters, title, site):
    told = in_letters(title, site)
    assert told[1] == title
    assert site in told
    assert not [one for one in told if "?" in one or "cannot print" in one]


def test_right_to_left_is_drawn_from_the_right(in_letters, monkeypatch):
    """Of a line of Hebrew and a number the number stands at the left, where the line ends."""
    assert in_letters("\u05e0\u05d9\u05e1\u05d5\u05d9 12")[1:3] == [
        "12",
        "\u05e0\u05d9\u05e1\u05d5\u05d9",
    ]


def test_letters_that_the_font_lacks_are_marked_and_the_mark_is_explained(in_letters):
    told = in_letters("\u4e2d\u6587 walking \U0001f6b6", "B\u202fC")
    assert told[1] == "[…] walking […]"
    assert "B C" in told
    gaps = "[…] stands for letters that this paper cannot print; the page on screen has them."
    assert told[-1] == gaps


def test_a_line_too_long_is_cut_and_says_so(in_letters):
    assert in_letters("walking " * 40)[1].endswith("…")


@pytest.mark.parametrize(("within", "written"), [(1, []), (3, ["…"])])
def test_a_line_without_room_ends_and_is_left_out(within, written):
    with lettering.paper(15) as pdf:
        pdf.put(15, 20, "Week 12", within=within)
        assert texts(bytes(pdf.output())) == written


def test_of_many_visits_the_newest_that_were_due_are_on_it(tmp_path):
    rows = story_rows()
    one = next(row for row in rows["outcome"] if row["scale"] == "FUNC")
    weeks = range(1, 53)
    rows["visit"] = [
        {"visit": f"w{n}", "position": n, "label": f"Week {n}", "week": n} for n in weeks
    ]
    rows["outcome"] = [
        {**one, "visit": f"w{n}", "score": n / 2 if n <= 30 else None,
         "status": "received" if n <= 30 else "not_due"} for n in weeks
    ]  # fmt: skip
    write_study(tmp_path)
    publish_rows(tmp_path, rows)
    told = texts(paper(tmp_path, "P001"))
    assert "Week 1" in told  # above its window, where the others' names would lie upon it
    assert "Week 2" not in told
    at = told.index("Outcome")
    heads = ["Direction", "n", *(f"Week {n}" for n in range(24, 31)), "Change"]
    assert told[at + 1 : at + 11] == heads
    at = told.index("Function")
    assert told[at + 2 : at + 5] == ["30", "12.0", "12.5"]  # n of all visits
    assert "Shown are 7 of 52 visits: the newest that have been due." in " ".join(told)


def test_the_page_on_screen_offers_it(home, monkeypatch):
    use(monkeypatch, home)
    at = opened("participant", participant="P001")
    assert "One-page PDF" in [one.proto.label for one in at.get("download_button")]

"""Pages run without a browser, and what is on them."""

from __future__ import annotations

import functools
import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from support.house import ROOT

from warehouse.publish import open_published

APP = ROOT / "dashboard" / "app.py"
# People sign in at a proxy.
PROXY = {
    "STEPWELL_SIGN_IN": "proxy",
    "STEPWELL_DASHBOARD_URL": "https://stepwell.example.org",
    "STEPWELL_TRUSTED_PROXY": "10.0.0.7",
    "STEPWELL_PROXY_SECRET": "what the proxy says to us, at length",
}
# Each AppTest would read the metadata of every installed package: half of a small page's time.
manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)


def opened(page: str = "adherence", why: str = "", **address: str) -> AppTest:
    """The page after its first run, at the address given; STEPWELL_HOME says on what file.

    `why` is the reason for which an unblinded role has opened the arms in this session.
    """
    at = AppTest.from_file(APP, default_timeout=60)
    at.switch_page(f"views/{page}.py")
    if why:
        at.session_state["unblinding_reason"] = why
    for name, value in address.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def about(at: AppTest, *names: str) -> AppTest:
    """The page with these expanders opened: `Show the numbers`, `How is this computed?`.

    Without names, all that the page has.
    """
    for name in names or [box.proto.id.rpartition("-about_")[2] for box in at.get("expander")]:
        at.session_state[f"about_{name}"] = True
    return at.run()


def shown_sql(at: AppTest) -> list[tuple[str, Any]]:
    """Of each opened expander with numbers: the SQL it shows, and those numbers."""
    return [
        (code.value, numbers.value)
        for box in at.get("expander")
        if len(box.code) == len(box.dataframe) and not box.get("expander")  # not a box of boxes
        for code, numbers in zip(box.code, box.dataframe, strict=True)
    ]


def assert_shown_sql(at: AppTest, path: Path, least: int) -> None:
    """Each SQL shown in an opened expander gives the numbers beside it, on the file at `path`."""
    shown = shown_sql(at)
    assert len(shown) >= least
    for sql, numbers in shown:
        with closing(open_published(path)) as con:
            again = con.sql(sql).df()
        assert list(again.columns) == list(numbers.columns)
        assert _plain(again) == _plain(numbers), sql


def _plain(frame: Any) -> list[list[Any]]:
    """The cells of a frame, any blank as None."""
    return [
        [None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell for cell in row]
        for row in frame.astype(object).to_numpy().tolist()
    ]


def metrics(at: AppTest) -> dict[str, str]:
    """Each key figure as it stands on the page, with plain spaces."""
    return {m.label: m.value.replace("\u00a0", " ").replace("\u202f", " ") for m in at.metric}


def text(at: AppTest) -> str:
    """All running text of the page, with plain spaces."""
    parts = [*at.markdown, *at.caption, *at.info, *at.error, *at.warning]
    return "\n".join(str(part.value) for part in parts).replace("\u00a0", " ")


def chart(at: AppTest, alt: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The specification and the rows of each dataset of the chart whose alt text begins so."""
    for element in at.get("vega_lite_chart"):
        proto = element.proto
        if proto.alt.startswith(alt):
            data = {d.name: _arrow(d.data.data).to_pylist() for d in proto.datasets}
            return json.loads(proto.spec), data
    raise KeyError(f"no chart with the alt text {alt!r}")


def _arrow(packed: bytes) -> pa.Table:
    return pa.ipc.open_stream(io.BytesIO(packed)).read_all()


def use(monkeypatch: Any, home: Path, role: str | None = None) -> None:
    """Let the dashboard find this study, in this role."""
    monkeypatch.setenv("STEPWELL_HOME", str(home))
    if role is None:
        monkeypatch.delenv("STEPWELL_ROLE", raising=False)
    else:
        monkeypatch.setenv("STEPWELL_ROLE", role)


def fields_without_data(at: AppTest) -> list[str]:
    """Fields that a chart of the page draws and its data do not have; a chart shows no error."""
    missing = []
    for element in at.get("vega_lite_chart"):
        spec = json.loads(element.proto.spec)
        data = {d.name: set(_arrow(d.data.data).column_names) for d in element.proto.datasets}
        for layer in spec.get("layer", [spec]):
            known = data[layer.get("data", spec["data"])["name"]]
            drawn = {**spec.get("encoding", {}), **layer.get("encoding", {})}
            missing += [
                f"{element.proto.alt}: {field}" for field in _fields(drawn) if field not in known
            ]
    return missing


def _fields(part: Any) -> list[str]:
    if isinstance(part, list):
        return [field for item in part for field in _fields(item)]
    if not isinstance(part, dict):
        return []
    own = [part["field"]] if "field" in part else []
    return own + [field for item in part.values() for field in _fields(item)]

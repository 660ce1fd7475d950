"""The protocol's scales and visits as tables, so that no reader need open study.toml."""

import duckdb

from transforms.instruments import Instrument, Scale, read_scales
from transforms.outcomes.given import given
from warehouse.schema import table_of
from warehouse.study import Study, StudyError
from warehouse.tables import derived


def derive_scale(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `scale`: every scale that can be scored, with the protocol's threshold where it has one.

    StudyError when the protocol names a scale no instrument has.
    """
    assert_known_scales(study)
    thresholds = {outcome.scale: outcome for outcome in study.outcomes}
    rows = []
    for code, (instrument, scale) in read_scales().items():
        mcid = thresholds[code].mcid if code in thresholds else None
        rows.append(
            {
                "scale": code,
                "instrument": instrument.code,
                "label": scale.label,
                "low": scale.low,
                "high": scale.high,
                "better": scale.better,
                "mcid": mcid,
                "mcid_kind": None if mcid is None else thresholds[code].mcid_kind,
                "recall_days": instrument.recall_days,
                "citation": _citation(instrument, scale, study),
            }
        )
    with given(con, protocol_scale=table_of(derived.scale, rows)):
        con.execute("INSERT INTO scale BY NAME FROM protocol_scale")


def _citation(instrument: Instrument, scale: Scale, study: Study) -> str:
    """The instrument's papers, and what the study's own table is where the scale needs one."""
    table = study.instrument_tables.get(instrument.code)
    if scale.table is None or table is None:
        return instrument.citation
    return f"{instrument.citation}; table: {table.about}"


def derive_visit(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `visit`: the protocol's visits in the order of study.toml."""
    rows = [
        {"visit": visit.code, "position": position, "label": visit.label, "week": visit.week}
        for position, visit in enumerate(study.visits, start=1)
    ]
    with given(con, protocol_visit=table_of(derived.visit, rows)):
        con.execute("INSERT INTO visit BY NAME FROM protocol_visit")


def assert_known_scales(study: Study) -> None:
    """Raise StudyError unless every scale the protocol names has an instrument."""
    known = read_scales()
    named = [(f"outcomes.{n}.scale", outcome.scale) for n, outcome in enumerate(study.outcomes)]
    named += [
        (f"cohorts.{n}.where.{place}.scale", condition.scale)
        for n, cohort in enumerate(study.cohorts)
        for place, condition in enumerate(cohort.where)
        if condition.scale is not None
    ]
    for place, scale in named:
        if scale not in known:
            raise StudyError(
                f"study.toml: {place}: unknown scale {scale!r}; known: {', '.join(sorted(known))}"
            )

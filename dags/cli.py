"""The command `stepwell`: the DAGs' steps by hand, and the demo."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from dags.cli_enrolment import enrol, erase, goal, pause, withdraw
from dags.cli_errors import CHECK_ERROR, plain_errors
from dags.cli_grants import connect, keys, release, upkeep
from dags.cli_pull import pull
from dags.cli_staff import staff
from dags.cutover import cutover

PORT = click.IntRange(1, 65535)
STOPPED = 130  # as a shell says of Ctrl-C
REREAD = ("google_health", "fitbit", "redcap", "study_team", "takeout", "apple_health",
          "health_connect", "garmin_fit")  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stepwell")
def main() -> None:
    """Stepwell: from the wrist to the result of a trial.

    The study lives in the folder STEPWELL_HOME (default .stepwell): study.toml, the register, the
    lake and the published files.
    """


@main.command()
@click.argument("name")
@plain_errors
def init(name: str) -> None:
    """Make a new study in the folder NAME, with a commented study.toml to edit."""
    from warehouse.study import EXAMPLE, StudyError, read_study

    folder = Path(name).absolute()
    code = re.sub(r"[^a-z0-9-]+", "-", folder.name.lower()).strip("-")[:40]
    if not code[:1].isalpha():
        raise StudyError(f"{folder.name!r}: a study's name begins with a letter, e.g. back-pain")
    target = folder / "study.toml"
    if target.exists():
        raise StudyError(f"{target} exists already; edit it, or choose another name")
    text = EXAMPLE.read_text(encoding="utf-8")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Participants' data will lie here; only the protocol belongs in a repository.
        (folder / ".gitignore").write_text("*\n!study.toml\n", encoding="utf-8")
        target.write_text(text.replace('name = "etmi-walk"', f'name = "{code}"', 1), "utf-8")
    except OSError as error:
        raise StudyError(f"{folder}: cannot be written ({error.strerror})") from None
    read_study(target)
    click.echo(
        f"{target} is a complete example to edit.\n"
        f"Then: export STEPWELL_HOME={shlex.quote(str(folder))}"
    )


@main.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".stepwell/demo"),
    show_default=True,
    help="Folder of the demo.",
)
@click.option("--participants", default=60, show_default=True, type=click.IntRange(1, 2000))
@click.option("--weeks", default=12, show_default=True, type=click.IntRange(1, 52))
@click.option(
    "--steps",
    default=5,
    show_default=True,
    type=click.IntRange(1, 50),
    help="How often the clock moves and the DAGs run.",
)
@click.option("--seed", default=20260119, show_default=True, help="Seed of the pretend world.")
@click.option("--airflow-port", default=8080, show_default=True, type=PORT)
@click.option("--dashboard-port", default=8501, show_default=True, type=PORT)
@click.option(
    "--serve/--no-serve",
    default=True,
    show_default=True,
    help="Go on serving the dashboard and Airflow, or stop once the verdict is out.",
)
@click.option("--restart", is_flag=True, help="Throw the demo of that folder away first.")
@plain_errors
def demo(home: Path, serve: bool, restart: bool, airflow_port: int, dashboard_port: int,
         **asked: int) -> None:  # fmt: skip
    """Run a pretend trial through Airflow, compare it with the truth, and serve it.

    Exits 0 only when every line of the verdict is 100 %. Killed at any point, it goes on where it
    was; run again when complete, it adds nothing.
    """
    from dags import demo as it

    for asked_to_stop in (signal.SIGTERM, signal.SIGHUP):  # as by Ctrl-C: in order, all of it
        signal.signal(asked_to_stop, signal.default_int_handler)
    ports = (airflow_port, dashboard_port) if serve else (None, None)
    settings = it.Settings(home.absolute(), airflow_port=ports[0], dashboard_port=ports[1],
                           restart=restart, **asked)  # fmt: skip
    with it.demo(settings, click.echo) as (running, verdict):
        click.echo(f"\n{verdict}\n")
        if verdict.holds and serve:
            with suppress(KeyboardInterrupt):
                _serve(running)
    if not verdict.holds:
        click.echo("stepwell: the warehouse is not what the truth says", err=True)
        sys.exit(CHECK_ERROR)


def _serve(running: Any) -> None:
    from dags.demo import serve_dashboard

    with serve_dashboard(running) as url:
        click.echo(
            f"Dashboard  {url}  (local user, arms hidden)\n"
            f"Airflow    {running.airflow.url}  user admin, password {running.airflow.password}\n"
            f"Warehouse  {running.home.published / 'warehouse.duckdb'}  (open it read-only)\n"
            "Ctrl-C stops everything; the data stay."
        )
        if sys.stdout.isatty():
            webbrowser.open(url)
        running.wait()


for command in (
    enrol,
    goal,
    pause,
    withdraw,
    erase,
    connect,
    release,
    keys,
    staff,
    upkeep,
    cutover,
    pull,
):
    main.add_command(command)


@main.command()
@click.argument("source", type=click.Choice(REREAD))
@plain_errors
def reread(source: str) -> None:
    """Read every kept raw reply of SOURCE again, after a mistake in reading was mended.

    No vendor is asked. Build afterwards: only the days that changed are computed.
    """
    from ingestion.reread import reread as read_again
    from warehouse.home import open_store

    landed = read_again(open_store(), source, click.echo)
    click.echo(f"{landed.days_changed + landed.rows_changed} rows changed, "
               f"{landed.days_new + landed.rows_new} new, "
               f"{landed.days_same + landed.rows_same} as before")  # fmt: skip


@main.command(name="import")
@click.argument("source")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--timezone",
    help="IANA zone of clock times  [default: the roster's, else that of the --enrol site]",
)
@click.option(
    "--ids",
    type=click.Path(path_type=Path, exists=True),
    help="CSV with columns id,participant_id: who the file's ids are.",
)
@click.option(
    "--enrol",
    metavar="SITE",
    help="Enrol who is not on the roster at this site, from their first full day in the export; "
    "who has none is not enrolled.",
)
@click.option(
    "--participant",
    metavar="ID",
    help="Whose export it is, where it is one person's; refused where the files say it themselves.",
)
@click.option(
    "--set",
    "pairs",
    metavar="NAME=VALUE",
    multiple=True,
    help="An option of that source, e.g. time=utc for takeout; may be repeated.",
)
@plain_errors
def import_(source: str, path: Path, timezone: str | None, ids: Path | None, enrol: str | None,
            participant: str | None, pairs: tuple[str, ...]) -> None:  # fmt: skip
    """Import files of SOURCE from PATH; docs/sources.md has the rules of each source.

    One person's own export (say --participant, or give a folder with an entry named by each
    participant, e.g. P-014.zip):

    \b
      takeout         Google Takeout of Fitbit or Google Health: zip or folder
      apple_health    export.zip or export.xml of the Health app
      garmin_fit      FIT monitoring files: a file, folder or zip
      health_connect  step records as CSV, Parquet or SQLite

    Of many people, by the ids in the files:

    \b
      fitabase        a folder of Fitabase CSV files
      table_export    answers, sessions, goals or the roster: CSV or Excel
      redcap_export   CSV exports of REDCap, raw codes, and its data dictionary
      fhir            QuestionnaireResponses: JSON, Bundles or NDJSON

    Exits 3 when nothing landed.
    """
    from ingestion import clock
    from ingestion.importing import import_files, read_ids, read_options
    from warehouse.home import open_store

    mapping = read_ids(ids) if ids else None
    try:
        report = import_files(open_store(), source, path, now=clock.now(), timezone=timezone,
                              ids=mapping, enrol_site=enrol, participant_id=participant,
                              options=read_options(pairs), progress=click.echo)  # fmt: skip
    except KeyboardInterrupt as stop:
        _stopped(str(stop) or "nothing was stored")
    click.echo(str(report))
    if report.landed_nothing:
        sys.exit(CHECK_ERROR)


def _stopped(what_stays: str) -> NoReturn:
    """Say after Ctrl-C what it left behind."""
    click.echo(f"\nstepwell: stopped; {what_stays}", err=True)
    sys.exit(STOPPED)


@main.command()
@click.option("--full", is_flag=True, help="Compute every day anew, not only what changed.")
@plain_errors
def build(full: bool) -> None:
    """Build, check and publish the warehouse."""
    from dags.folder import clock_of_demo
    from ingestion import clock
    from transforms.build import build_warehouse
    from warehouse.home import open_store
    from warehouse.publish import stable_path

    store = open_store()
    of_demo = clock_of_demo(store.home)
    if of_demo:
        click.echo(
            f"stepwell: {store.home.path} is a demo's: as of its last build, "
            f"{of_demo:%Y-%m-%d %H:%M} UTC, not of today; STEPWELL_CLOCK_URL names another clock",
            err=True,
        )
    try:
        built = build_warehouse(store, of_demo or clock.now(), full)
    except KeyboardInterrupt:
        _stopped("the last build stays; run it again")
    click.echo(
        f"{stable_path(store.home)}\n{built.days_computed} days computed, {built.days_reused} "
        f"taken from the build before\ncontent {built.content_hash}\n{built.account}"
    )


@main.command()
@click.option("--home", type=click.Path(path_type=Path), help="The study's folder.")
@plain_errors
def check(home: Path | None) -> None:
    """Print rows and hash of every published table, and the content hash of them all.

    Exits 3 when the file does not hold what its build said it does.
    """
    from contextlib import closing

    import duckdb

    from warehouse.home import find_home
    from warehouse.publish import content_hash, open_published, stable_path, table_hashes

    if home:
        os.environ["STEPWELL_HOME"] = str(home)
    found = find_home()
    sound = True
    for sees_arms in (True, False):
        path = stable_path(found, sees_arms)
        try:
            with closing(open_published(path)) as con:
                click.echo(f"{path} ({'with' if sees_arms else 'without'} arms)")
                for name, rows, digest in table_hashes(con):
                    click.echo(f"  {name:<20}{rows:>10,}  {digest[:16]}")
                digest = content_hash(con)
                said = con.execute("SELECT content_hash FROM ops.build").fetchall()[0][0]
        except duckdb.Error as error:
            click.echo(f"stepwell: {path}: damaged ({type(error).__name__}); build again", err=True)
            sys.exit(CHECK_ERROR)
        sound = sound and said == digest
        click.echo(f"  content {digest}" + ("" if said == digest else f"; its build said {said}"))
    sys.exit(0 if sound else CHECK_ERROR)


@main.command()
@click.option("--port", default=8501, show_default=True, type=PORT)
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@plain_errors
def dashboard(port: int, address: str) -> None:
    """Serve the dashboard on this machine.

    Where STEPWELL_PUBLIC_URL is set, also the pages by which participants connect.
    """
    from dags.local import port_is_free
    from warehouse.home import find_home
    from warehouse.study import StudyError, read_study

    read_study(find_home().study_path)
    if not port_is_free(port):
        raise StudyError(f"port {port} is in use; stop what uses it, or choose another: --port")
    more = ["--address", address, "--port", str(port), "--actions", "ingestion.actions:actions"]
    if os.environ.get("STEPWELL_PUBLIC_URL"):
        from ingestion.consent_web import routes

        routes()  # what is missing is said here, in a line
        more += ["--routes", "ingestion.consent_web:routes"]
    os.execv(sys.executable, [sys.executable, "-m", "dashboard", *more])


if __name__ == "__main__":
    main()

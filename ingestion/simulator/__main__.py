"""`python -m ingestion.simulator`: the pretend world served alone, until interrupted."""

from __future__ import annotations

from pathlib import Path

import click

from ingestion.simulator.server import PortInUse, Simulator, application, bind, server_for
from ingestion.simulator.state import StateError
from ingestion.simulator.world import SEED, World
from warehouse.study import EXAMPLE, StudyError, read_study


@click.command()
@click.option("--study", type=click.Path(path_type=Path), default=EXAMPLE, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True)
@click.option("--participants", type=click.IntRange(1), default=60, show_default=True)
@click.option(
    "--weeks",
    type=click.IntRange(1, 520),
    default=12,
    show_default=True,
    help="Full weeks of study for each participant.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8790,
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder that keeps clock and tokens over a restart; none keeps them in memory.",
)
@click.option("--faults/--no-faults", default=True, show_default=True,
              help="Answer a few first attempts with 429 or 5xx.")  # fmt: skip
def main(
    study: Path, seed: int, participants: int, weeks: int, port: int, state: Path | None,
    faults: bool,
) -> None:  # fmt: skip
    """Serve a seeded trial as Google Health API, legacy Fitbit Web API and REDCap on loopback.

    GET /_emu/clock shows the clock; PUT {"now": "..."} moves it forward.
    """
    try:
        world = World(read_study(study), seed, participants, weeks, faults)
        listening = bind(port)
        sim = Simulator(world, state)
    except (StudyError, StateError, PortInUse) as error:
        raise click.ClickException(str(error)) from None
    host, taken = listening.getsockname()
    click.echo(f"http://{host}:{taken}  clock {sim.now().isoformat()}")
    server_for(application(sim), taken).run([listening])


if __name__ == "__main__":
    main()

"""`python -m include.sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from include.errors import CuveeError
from include.sandbox import serve
from include.sandbox.faults import ALL_FAULTS

_FIRST_DAY = datetime(2026, 1, 5)  # noqa: DTZ001 (a day, without a time of day)
_FAULTS_HELP = (
    "A fault, any number of times: NAME or NAME:first=2,every=3,one_in=4,path=/api,seconds=1. "
    f"Names: {', '.join(ALL_FAULTS)}."
)


def main(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines reach it only if this is changed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any free one.")] = 8099,
    replay: Annotated[Path | None, typer.Option(help="Folder of real records; the demo catalogue without.")] = None,
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day with products.")] = _FIRST_DAY,
    days: Annotated[int, typer.Option(min=1, help="Days with products.")] = 3,
    fault: Annotated[list[str] | None, typer.Option("--fault", "--manner", help=_FAULTS_HELP)] = None,
) -> None:
    """Serve Open Food Facts and Edamam as far as Cuvée needs them, until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        serve(replay, first_day.date(), days, port, host=host, faults=fault or ())
    except CuveeError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)

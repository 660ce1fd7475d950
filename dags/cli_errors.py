"""What the commands share: an error that a person can mend is said in its own words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")

USER_ERROR, CHECK_ERROR = 2, 3


def _user_errors() -> tuple[type[Exception], ...]:
    from dags.folder import DemoError
    from ingestion.errors import SourceError
    from warehouse.publish import CheckFailed, NotPublished
    from warehouse.refused import Refused
    from warehouse.register import LeaseBusy
    from warehouse.study import StudyError

    return (DemoError, SourceError, CheckFailed, NotPublished, LeaseBusy, Refused, StudyError)


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Say an error that a person can mend in its own words, without a traceback."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except _user_errors() as error:
            click.echo(f"stepwell: {error}", err=True)
            sys.exit(USER_ERROR)

    return wrapped

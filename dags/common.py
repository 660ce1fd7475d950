"""What the DAGs share: the assets they announce, and which errors are worth a retry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

P = ParamSpec("P")
R = TypeVar("R")

ACTIVITY = Asset(name="stepwell_activity")
ANSWERS = Asset(name="stepwell_answers")
# A task lost with its worker is tried again, and so is what the error's type calls transient.
DEFAULTS: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(seconds=30)}


def only_transient_is_retried(task: Callable[P, R]) -> Callable[P, R]:
    """Fail a task at once, without retries, where its error says that trying again is useless."""

    @wraps(task)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from ingestion.errors import SourceError, Transient
        from warehouse.publish import CheckFailed
        from warehouse.study import StudyError

        try:
            return task(*args, **kwargs)
        except Transient:
            raise
        except (SourceError, CheckFailed, StudyError) as error:
            raise AirflowFailException(str(error)) from None

    return wrapped

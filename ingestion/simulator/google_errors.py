"""Google's error bodies (google.rpc.Status)."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.simulator.http import Reply, as_json

STATUS_OF = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    410: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
SERVICE = "health.googleapis.com"
RPC = "type.googleapis.com/google.rpc."


class GoogleError(Exception):
    """A request that Google refuses."""

    def __init__(
        self, code: int, message: str, reason: str = "", detailed: str = "",
        violations: Sequence[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.code, self.message, self.reason, self.detailed = code, message, reason, detailed
        self.violations = violations  # (field, description) of each field that is wrong

    def reply(self, **headers: str) -> Reply:
        """The body: code, message, status; the reason and the fields at fault where there are."""
        error: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "status": STATUS_OF[self.code],
        }
        if details := [*self._reasons(), *self._fields()]:
            error["details"] = details
        return as_json({"error": error}, self.code, **headers)

    def _reasons(self) -> list[dict[str, object]]:
        told = {"detailedReasons": self.detailed} if self.detailed else {"service": SERVICE}
        info = {"reason": self.reason, "domain": SERVICE, "metadata": told}
        return [{"@type": f"{RPC}ErrorInfo", **info}] if self.reason else []

    def _fields(self) -> list[dict[str, object]]:
        listed = [{"field": name, "description": why} for name, why in self.violations]
        return [{"@type": f"{RPC}BadRequest", "fieldViolations": listed}] if listed else []


def unknown_fields(names: list[str], where: str = "") -> GoogleError:
    """The refusal of field names that the method does not have, as recorded from the vendor."""
    at = f" at '{where}'" if where else ""
    lines = [
        f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
        for name in sorted(names)
    ]
    return GoogleError(400, "\n".join(lines), violations=[(where, line) for line in lines])


def unauthenticated() -> GoogleError:
    return GoogleError(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential.",
    )


def check_scope(scopes: set[str], bundle: str) -> None:
    """Refuse when the participant did not give that bundle of scopes."""
    if bundle not in scopes:
        raise GoogleError(
            403, "Request had insufficient authentication scopes.",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        )  # fmt: skip


def check_fields(given: set[str], known: set[str], where: str = "") -> None:
    """Refuse names that the method does not have."""
    unknown = given - known
    if unknown:
        raise unknown_fields(sorted(unknown), where)

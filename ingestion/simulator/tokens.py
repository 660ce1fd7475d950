"""Codes and tokens that carry what they stand for, signed: no table of tokens is needed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


class Signer:
    """Signs with a key that follows from the seed, so that two runs issue the same tokens."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"stepwell simulator {seed}".encode()).digest()

    def sign(self, prefix: str, content: dict[str, Any]) -> str:
        """An opaque text that `read` turns back into `content`."""
        plain = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        body = prefix + base64.urlsafe_b64encode(plain).decode().rstrip("=")
        return f"{body}.{self._seal(body)}"

    def read(self, prefix: str, token: str) -> dict[str, Any] | None:
        """The content; None when the token is not one of ours with that prefix."""
        body, dot, seal = token.rpartition(".")
        if (
            not dot
            or not body.startswith(prefix)
            or not hmac.compare_digest(self._seal(body), seal)
        ):
            return None
        plain = body.removeprefix(prefix)
        content = json.loads(base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)))
        return content if isinstance(content, dict) else None

    def _seal(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()[:32]


def digest(*parts: str) -> str:
    """A short stable name of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def share(*parts: object) -> float:
    """A number in [0, 1) that follows from `parts` alone."""
    text = "\0".join(str(part) for part in parts).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7]) / 2**56


def pkce_matches(verifier: str, challenge: str) -> bool:
    """Whether `challenge` is the S256 challenge of `verifier` (RFC 7636, 4.6)."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(hashed).decode().rstrip("="), challenge)

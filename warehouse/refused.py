"""What a person asked for cannot be done, said in words that they can act on."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(ValueError):
    """Nothing was changed. `faults` are by field of what was asked; blank where it is of no field.

    The words name the field and what is allowed, and hold no arm and no secret.
    """

    def __init__(self, faults: Mapping[str, str] | str) -> None:
        self.faults = {"": faults} if isinstance(faults, str) else dict(faults)
        lines = (f"{field}: {words}" if field else words for field, words in self.faults.items())
        super().__init__("\n".join(lines))

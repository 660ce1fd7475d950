"""Filled-in forms drawn wide, a column per item, as the long `response` table has them."""

KEYS = ("participant_id", "source", "visit", "repeat", "answered_on")


def answers(instrument: str, picture: str) -> str:
    """The picture of `response` for forms drawn with a column per item; blank is left blank."""
    header, _, *rows = [
        [cell.strip() for cell in line.split("|")] for line in picture.strip().splitlines()
    ]
    keys = [name for name in header if name in KEYS]
    lines = [" | ".join([*keys, "instrument", "item", "value"])]
    for row in rows:
        form = dict(zip(header, row, strict=True))
        given = [form[name] for name in keys]
        lines += [
            " | ".join([*given, instrument, item, form[item]])
            for item in header
            if item not in KEYS
        ]
    return "\n".join(lines)

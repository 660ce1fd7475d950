"""The screens of the PHQ and the GAD: the first two items of the longer form."""

from transforms.instruments import Band, Scale, numbered


def two_item_screen(code: str, label: str, source: str) -> Scale:
    """Items 1 and 2 of 0 to 3 each, positive from 3; neither may be blank."""
    return Scale(
        code=code,
        label=label,
        items=numbered(2),
        low=0,
        high=6,
        better="lower",
        bands=(Band("negative", to=2), Band("positive", to=6)),
        bands_source=source,
    )

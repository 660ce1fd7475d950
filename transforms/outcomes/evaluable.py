"""Whether a change can be judged by a threshold at all."""


def not_evaluable(kind: str, needed: str, towards: str) -> str:
    """SQL of the reason why a change cannot reach a threshold, NULL when it can.

    `kind`, `needed` (points) and `towards` (+1 up the scale, -1 down) are SQL; so are the columns
    score, baseline_score, percent_from_baseline, low and high that it reads. A baseline so near
    the end of the scale that the change would pass it: `ceiling`, `floor` (a score of 97 of 100
    cannot rise by 5).
    """
    return f"""CASE
        WHEN score IS NULL THEN 'no score'
        WHEN baseline_score IS NULL THEN 'no baseline'
        WHEN {kind} = 'percent' AND baseline_score = 0 THEN 'baseline 0 has no percent'
        WHEN {kind} = 'percent' AND baseline_score < percent_from_baseline
            THEN 'baseline too low for percent'
        WHEN {towards} = 1 AND baseline_score + {needed} > high THEN 'ceiling'
        WHEN {towards} = -1 AND baseline_score - {needed} < low THEN 'floor'
    END"""


def points_needed(kind: str, threshold: str) -> str:
    """SQL of a threshold in points; percent are of the baseline. Rounded as changes are."""
    return (
        f"CASE {kind} WHEN 'percent' THEN round({threshold} * baseline_score / 100, 9) "
        f"ELSE {threshold} END"
    )

"""The ten questions that analysts ask first, as they can be run on the published file."""

from __future__ import annotations

from inspect import cleandoc

QUESTIONS = {
    name: cleandoc(sql)
    for name, sql in {
        "who": """
            -- People by site: enrolled, begun, withdrawn.
            SELECT site, count(*) AS participants, count(starts_on) AS with_study_days,
                count(withdrawn_on) AS withdrawn, min(enrolled_on) AS first_enrolled_on,
                max(enrolled_on) AS last_enrolled_on
            FROM participant GROUP BY site ORDER BY site
        """,
        "steps": """
            -- Steps a day of each participant, of valid days alone.
            SELECT participant_id, count(*) AS valid_days, avg(steps) AS steps_per_day,
                stddev_samp(steps) AS steps_sd
            FROM participant_day WHERE valid_day
            GROUP BY participant_id ORDER BY participant_id
        """,
        "states": """
            -- What became of the days, by site: a blank day is never a zero.
            SELECT site, day_state, count(*) AS person_days,
                count(*) / sum(count(*)) OVER (PARTITION BY site) AS share
            FROM participant_day JOIN participant USING (participant_id)
            GROUP BY site, day_state ORDER BY site, person_days DESC, day_state
        """,
        "weeks": """
            -- Wear and goals by site and study week, with how many they are of.
            SELECT cohort AS site, study_week, participants, wear_adherence,
                goal_adherence_observed, goal_adherence_strict, steps_per_day
            FROM cohort_week WHERE cohort_kind = 'site' AND NOT suppressed
            ORDER BY site, study_week
        """,
        "change": """
            -- Mean improvement since baseline by scale and visit; positive is better.
            SELECT cohort_kind, cohort, scale, visit, changed, mean_improvement,
                improvement_ci_low, improvement_ci_high
            FROM cohort_outcome JOIN visit USING (visit)
            WHERE cohort_kind IN ('all', 'site') AND changed > 0
            ORDER BY cohort_kind, cohort, scale, position
        """,
        "responders": """
            -- Responders by the protocol's threshold, of those whose response can be judged.
            SELECT cohort_kind, cohort, scale, visit, evaluable, responders, responder_share,
                responder_ci_low, responder_ci_high
            FROM cohort_outcome JOIN visit USING (visit)
            WHERE cohort_kind IN ('all', 'site') AND evaluable > 0
            ORDER BY cohort_kind, cohort, scale, position
        """,
        "extract": """
            -- A row for each participant, visit and scale: the outcome, and the activity before.
            SELECT participant_id, site, outcome.visit, outcome.scale, status,
                outcome.answered_on, outcome.score, baseline_score, outcome.score_change,
                outcome.improvement, is_responder, not_evaluable, valid_days, enough_days,
                steps_per_day, steps_within, steps_between
            FROM outcome JOIN participant USING (participant_id)
            LEFT JOIN activity_outcome USING (participant_id, visit, scale)
            ORDER BY participant_id, opens_on, scale
        """,
        "questionnaires": """
            -- Questionnaires that came, of those due and of those whose window has closed.
            SELECT site, visit, sum(due) AS due, sum(received) AS received,
                sum(received) / nullif(sum(due), 0) AS received_of_due
            FROM completeness JOIN participant USING (participant_id)
            JOIN visit USING (visit)
            GROUP BY site, visit, position ORDER BY site, position
        """,
        "connections": """
            -- Who is connected to which source, last synced when, and what they should do next.
            SELECT site, participant_id, source, state, synced_at, next_step
            FROM ops.connection JOIN participant USING (participant_id)
            ORDER BY synced_at NULLS FIRST, participant_id, source
        """,
        "late": """
            -- Days that changed after they had landed, and by how many steps.
            SELECT participant_id, source, activity_date, days_late, steps_before, steps_after,
                changed_at
            FROM ops.revision ORDER BY changed_at DESC, participant_id, activity_date
        """,
    }.items()
}

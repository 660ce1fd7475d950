"""Whether a day was worn long enough, as the protocol has it."""

# A condition on a row `m` of day_metric; NULL where its wear is not known.
WORN_ENOUGH = """CASE
    WHEN m.wear_method IS DISTINCT FROM 'steps' THEN m.wear_minutes >= $wear_valid_day_minutes
    WHEN $wear_steps_only_rule = 'choi' THEN m.wear_choi_minutes >= $wear_valid_day_minutes
    WHEN $wear_steps_only_rule = 'troiano' THEN m.wear_troiano_minutes >= $wear_valid_day_minutes
    ELSE m.wear_hours_with_steps >= $wear_valid_day_step_hours
END"""

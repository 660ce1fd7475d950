"""The pretend world: a seeded trial, its truth by the minute, and vendors that are views of it.

What is simulated
  world      participants with arms, sites, zones, devices, wear and sync habits, drop-outs;
             worn, steps and heart rate of every UTC minute; answers, sessions, goals (world.py);
             where asked, journeys to other time zones and changes of device (travel.py)
  google     Health API v4: consent, identity, profile, settings, pairedDevices; list, reconcile,
             rollUp and dailyRollUp of steps and heart-rate (google*.py)
  fitbit     legacy Web API: consent, rotating tokens, profile, devices, series and intraday of
             steps, distance (series only) and heart rate, hourly limit (fitbit*.py)
  redcap     content record, metadata, event, formEventMapping, instrument, version (redcap.py)
  faults     a few unasked, the others armed by a test (faults.py, docs/simulator.md)
  limits     requests by the hour or minute of the clock (limits.py)
  scenario   a trial under faults, drawn from a seed: world, pulls, troubles (scenario.py)
  oracle     what the warehouse must hold at a time, given when pulls were made and what befell
             them (outcomes.py: of a pull; told_days.py: of a day; oracle.py: of the warehouse)

What makes it repeatable
  A participant follows from (seed, index); a reply from the world, the clock and the request. The
  clock only goes forward, by request. State that must survive a kill is in SQLite (state.py).

Inferred, where the vendor says nothing; each is one constant or one function
  - A roll-up window holds data when a worn minute lies in it; `{}` is then zero steps.
  - A day's total keeps the steps of minutes that the device had forgotten before it synced.
  - Unknown query or body fields at Google are refused with 400, as recorded for bodies.
  - Legacy: see fitbit.py (grace, limits) and fitbit_series.py (days when clocks change, zeros).
  - The body and status text of 410 after the legacy API was switched off.
  - A revoked consent: Google 401 on data and invalid_grant on refresh; legacy 401 invalid_token.
"""

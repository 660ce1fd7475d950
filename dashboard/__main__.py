"""`python -m dashboard --port 8501`: serve the dashboard."""

from contextlib import suppress

from dashboard.serve import main

with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
    main()

"""`python -m dashboard --port 8501`: serve the dashboard."""

from dashboard.serve import main

main()

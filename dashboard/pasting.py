"""What to paste into a program to ask a question of the published file."""

from __future__ import annotations

import json
import shlex

# Of each program the text, for {path} as it writes one and {sql}, and its language.
WAYS = {
    "python": (
        "import duckdb  # once: pip install duckdb pandas\n\n"
        "with duckdb.connect({path}, read_only=True) as con:\n"
        '    answer = con.sql("""\n{sql}\n""").df()\n'
        "print(answer)",
        "python",
    ),
    "r": (
        'library(duckdb)  # once: install.packages("duckdb")\n\n'
        "con <- dbConnect(duckdb(), dbdir = {path}, read_only = TRUE)\n"
        'answer <- dbGetQuery(con, r"(\n{sql}\n)")\n'
        "dbDisconnect(con, shutdown = TRUE)\n"
        "print(answer)",
        "r",
    ),
    "cli": ("duckdb -readonly {path} <<'SQL'\n{sql};\nSQL", "bash"),
    "sql": ("{sql}", "sql"),
}


def pasted(way: str, path: str, sql: str) -> str:
    """The text of one of WAYS that asks `sql` of the file at `path`, whatever signs are in it."""
    # Python and R read a text in double quotes as JSON writes it.
    quoted = shlex.quote(path) if way == "cli" else json.dumps(path, ensure_ascii=False)
    return WAYS[way][0].format(path=quoted, sql=sql)

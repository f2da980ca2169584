"""What Dataduct's examples expect: files that their activation uploads, tables of ``dev`` and of the sources."""

from __future__ import annotations

from typing import Any

BUCKET = "example-bucket"
#: What the examples' RdsDatabase leads to.
RDS_INSTANCE: dict[str, Any] = {
    "DBInstanceIdentifier": "example-postgres-instance",
    "Engine": "postgres",
    "DBName": "examples",
    "MasterUsername": "example_user",
    "MasterUserPassword": "example-password-1",
    "DBInstanceClass": "db.t3.micro",
    "AllocatedStorage": 20,
}
#: What no load may change: a backslash before an n, a text ``NULL``, tabs, quotes.
TABLE_1 = "1\tone\n2\tit's\n3\tC:\\\\new\n"
TABLE_2 = "4\tfour\n5\tNULL\n"
MAPPER = """#!/usr/bin/env python3
import sys
for line in sys.stdin:
    for word in line.split():
        print(word + "\\t1")
"""
REDUCER = """#!/usr/bin/env python3
import itertools, sys
pairs = (line.rstrip("\\n").split("\\t") for line in sys.stdin)
for word, group in itertools.groupby(pairs, lambda pair: pair[0]):
    print(f"{word}\\t{sum(int(count) for _, count in group)}")
"""
PROFILER = """#!/usr/bin/env python3
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--input")
parser.add_argument("--output")
given, rest = parser.parse_known_args()
folder = os.environ[given.input]
sizes = [f"{name} {os.path.getsize(os.path.join(folder, name))}" for name in sorted(os.listdir(folder))]
with open(os.path.join(os.environ[given.output], "profile"), "w") as file:
    file.write("\\n".join([*sizes, *rest]) + "\\n")
"""


def _exchange(name: str, how: str) -> str:
    """What Dataduct generates for an upsert or a reload (reference: statements 1 to 6)."""
    columns = "(id INTEGER, description VARCHAR(50), PRIMARY KEY (id))"
    return f"""CREATE TEMPORARY TABLE dd_{name}_temp {columns};
INSERT INTO dd_{name}_temp (SELECT * FROM dev.dd_{name}_source);
CREATE TEMPORARY TABLE dd_{name}_temp_temp {columns};
INSERT INTO dd_{name}_temp_temp (SELECT * FROM dd_{name}_temp);
DELETE FROM dd_{name}_temp;
INSERT INTO dd_{name}_temp (SELECT id, description FROM (SELECT *, COUNT(1) OVER (PARTITION BY id ORDER BY 1
 ROWS UNBOUNDED PRECEDING) AS rnk FROM dd_{name}_temp_temp) AS ranked WHERE rnk = 1);
{how};
INSERT INTO dev.dd_{name} (SELECT * FROM dd_{name}_temp);
DROP TABLE IF EXISTS dd_{name}_temp CASCADE
"""


#: Key below ``dataduct/src/`` → content.
FILES = {
    "test_table1.tsv": TABLE_1,
    "test_table2.tsv": TABLE_2,
    "words/a.txt": "hello world\n",
    "words/b.txt": "hello again\n",
    "word_mapper.py": MAPPER,
    "word_reducer.py": REDUCER,
    "s3_profiler.py": PROFILER,
    "scripts/main.sh": (
        '#!/bin/bash\n[[ -x ${0%/*}/helper.sh ]] && "${0%/*}/helper.sh" "$@" > ${OUTPUT1_STAGING_DIR}/said\n'
    ),
    "scripts/helper.sh": '#!/bin/sh\nprintf "<%s>\\n" "$@"\n',
    "example_upsert.sql": _exchange(
        "upsert", "DELETE FROM dev.dd_upsert WHERE (id) IN (SELECT DISTINCT id FROM dd_upsert_temp)"
    ),
    "example_reload.sql": _exchange("reload", "DELETE FROM dev.dd_reload"),
    "example_sql_command.sql": "BEGIN; INSERT INTO dev.dd_sql_command VALUES (?, 'a--b'); COMMIT;",
}
_KEYED = "(id INTEGER PRIMARY KEY, description VARCHAR(50))"
WAREHOUSE = (
    "CREATE SCHEMA dev",
    "CREATE TABLE dev.dd_songs (id INTEGER PRIMARY KEY, name VARCHAR(20))",
    "INSERT INTO dev.dd_songs VALUES (1, 'one'), (2, 'two')",
    f"CREATE TABLE dev.dd_loaded {_KEYED}",
    "INSERT INTO dev.dd_loaded VALUES (9, 'former')",
    f"CREATE TABLE dev.dd_sql_command {_KEYED}",
    *(
        statement
        for name in ("upsert", "reload")
        for statement in (
            f"CREATE TABLE dev.dd_{name} {_KEYED}",
            f"INSERT INTO dev.dd_{name} VALUES (1, 'former'), (9, 'kept')",
            f"CREATE TABLE dev.dd_{name}_source (id INTEGER, description VARCHAR(50))",
            f"INSERT INTO dev.dd_{name}_source VALUES (1, 'new'), (2, 'two'), (2, 'two')",
        )
    ),
    f"CREATE TABLE dev.dd_production {_KEYED}",
    "INSERT INTO dev.dd_production VALUES (9, 'former')",
)
SOURCE = (
    "CREATE TABLE dd_lines (id INT, text VARCHAR(50))",
    "INSERT INTO dd_lines VALUES (1, 'one'), (2, NULL), (3, '1000')",
)
POSTGRES = (
    "CREATE TABLE dd_songs (id INTEGER, name VARCHAR(20))",
    "INSERT INTO dd_songs VALUES (1, 'one'), (2, NULL)",
    "CREATE TABLE dd_loaded (id INTEGER, description VARCHAR(50))",
)


def run_all(cursor: Any, statements: tuple[str, ...]) -> None:
    """Run statements."""
    for statement in statements:
        cursor.execute(statement)

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import DefinitionError, NotFound, SchemaMismatch

CHECKOUT = Path(__file__).parents[3]
#: The second reads from the third: their order in the text does not matter.
VIEWS = """-- three views
CREATE VIEW totals AS SELECT SUM(n) AS n FROM narrow; CREATE VIEW "odd name" ("order") AS SELECT a || 'x;' FROM t;
CREATE OR REPLACE VIEW public.narrow AS
  WITH rows AS (SELECT n FROM t) SELECT n FROM rows WHERE n > 1 -- the end
"""


@pytest.fixture
def viewed(warehouse: Any) -> Iterator[Any]:
    warehouse.rows("CREATE TABLE t (a VARCHAR(5), n INT)")
    warehouse.rows("INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3)")
    document = yaml.safe_load(warehouse.config.read_text())
    document["database"] = {"permissions": [{"public": True, "permission": "SELECT"}]}
    warehouse.config.write_text(yaml.safe_dump(document))
    yield warehouse
    for (name,) in warehouse.rows("SELECT viewname FROM pg_views WHERE schemaname = 'public'"):
        warehouse.rows(f'DROP VIEW IF EXISTS "{name}" CASCADE')


def make(warehouse: Any, text: str, **more: Any) -> dict[str, list[str]]:
    done = warehouse.run("create-view", view_definition=text, **more).details
    return {what: names for what, names in done.items() if names}


def test_views_are_made_in_the_order_of_what_they_read_and_a_second_run_replaces_them(viewed: Any) -> None:
    assert make(viewed, VIEWS) == {"created": ["public.narrow", "odd name", "totals"]}
    for _ in range(2):
        assert viewed.rows("SELECT n FROM totals") == [(5,)]
        assert viewed.rows('SELECT "order" FROM "odd name" ORDER BY 1') == [("ax;",), ("bx;",), ("cx;",)]
        assert make(viewed, VIEWS) == {"replaced": ["public.narrow", "odd name", "totals"]}
    assert make(viewed, VIEWS, if_exists="keep") == {"kept": ["public.narrow", "odd name", "totals"]}


def test_a_view_with_other_columns_is_made_anew_with_those_of_the_definition_that_read_from_it(
    viewed: Any,
) -> None:
    make(viewed, VIEWS)
    wider = VIEWS.replace("SELECT n FROM rows", "SELECT n, n * 2.5 AS m FROM rows")
    assert make(viewed, wider) == {"replaced": ["odd name"], "recreated": ["public.narrow", "totals"]}
    granted = "SELECT table_name FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC' ORDER BY 1"
    assert viewed.rows(f"{granted}")[-3:] == [("narrow",), ("odd name",), ("totals",)]
    longer = VIEWS.replace("a || 'x;'", "a::VARCHAR(9)")
    assert make(viewed, longer)["recreated"] == ["public.narrow", "odd name", "totals"]


def test_a_grant_that_somebody_gave_survives_a_replacement(viewed: Any) -> None:
    make(viewed, VIEWS)
    viewed.rows("REVOKE SELECT ON totals FROM PUBLIC")
    make(viewed, VIEWS.replace("SUM(n)", "MAX(n)::BIGINT"))
    assert viewed.rows("SELECT n FROM totals") == [(3,)]
    granted = (
        "SELECT COUNT(*) FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC' AND table_name = 'totals'"
    )
    assert viewed.rows(granted) == [(0,)]


@pytest.fixture
def analysts(viewed: Any) -> Iterator[str]:
    """A group, a role and two users, whose names begin alike."""
    name = f"views_{os.getpid()}"
    made = [f"GROUP {name}_g", f"ROLE {name}_r", f"USER {name}_u", f"USER {name}_v"]
    for what in made:
        viewed.rows(f"CREATE {what}" + (" PASSWORD 'Abcd1234'" if what.startswith("USER") else ""))
    yield name
    viewed.rows("DROP VIEW IF EXISTS totals, narrow CASCADE")
    for what in made:
        viewed.rows(f"DROP {what}")


GRANTS = """SELECT relation_name, identity_name, privilege_type, admin_option FROM svv_relation_privileges
WHERE identity_name <> CURRENT_USER AND relation_name IN ('narrow', 'totals') ORDER BY 1, 2, 3"""


def test_views_that_are_made_anew_keep_the_grants_that_somebody_gave(viewed: Any, analysts: str) -> None:
    make(viewed, VIEWS)
    for words in (
        f"SELECT ON narrow TO GROUP {analysts}_g",
        f"SELECT ON totals TO {analysts}_u WITH GRANT OPTION",
        f"ALL ON totals TO {analysts}_v",
        f"SELECT ON totals TO ROLE {analysts}_r",
    ):
        viewed.rows(f"GRANT {words}")
    viewed.rows("REVOKE SELECT ON narrow FROM PUBLIC")  # it is configured, and so it comes back
    before = [row for row in viewed.rows(GRANTS) if row[2] not in ("TRIGGER", "MAINTAIN")]
    assert (("totals", f"{analysts}_u", "SELECT", True)) in before
    wider = VIEWS.replace("SELECT n FROM rows", "SELECT n, n * 2.5 AS m FROM rows")
    assert make(viewed, wider)["recreated"] == ["public.narrow", "totals"]
    assert sorted(viewed.rows(GRANTS)) == sorted([*before, ("narrow", "public", "SELECT", False)])


def test_a_view_that_others_read_from_is_not_dropped_and_nothing_is_changed(viewed: Any) -> None:
    make(viewed, VIEWS)
    viewed.rows("CREATE VIEW foreigner AS SELECT n FROM narrow")
    changed = VIEWS.replace("SELECT n FROM rows", "SELECT n::BIGINT FROM rows").replace("'x;'", "'y'")
    with pytest.raises(SchemaMismatch, match=r"public\.foreigner reads from it"):
        make(viewed, changed)
    assert viewed.rows('SELECT "order" FROM "odd name" ORDER BY 1 LIMIT 1') == [("ax;",)]


def test_a_late_binding_view_reads_what_is_there_when_it_is_read(viewed: Any) -> None:
    late = "CREATE VIEW late AS SELECT n FROM public.later WITH NO SCHEMA BINDING"
    assert make(viewed, late) == {"created": ["late"]}
    viewed.rows("CREATE TABLE later (n INT, m INT)")
    viewed.rows("INSERT INTO later VALUES (1, 2)")
    assert viewed.rows("SELECT n FROM late") == [(1,)]
    # Redshift shows in pg_views which views bind late; the sandbox does not, so that the view is made anew there.
    [(_, made)] = make(viewed, late.replace("SELECT n", "SELECT m, n")).items()
    assert (made, viewed.rows("SELECT * FROM late")) == (["late"], [(2, 1)])
    assert make(viewed, "CREATE VIEW late AS SELECT n FROM public.later") == {"recreated": ["late"]}
    assert make(viewed, late) == {"recreated": ["late"]}
    viewed.rows("DROP TABLE later")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("CREATE VIEW v AS SELECT * FROM missing_table", NotFound, "create view v"),
        ("CREATE VIEW t AS SELECT 1 AS one", SchemaMismatch, "t is a table"),
        ("CREATE VIEW v AS DELETE FROM t", DefinitionError, "line 1, column 18"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", DefinitionError, "'MATERIALIZED'"),
        ("CREATE VIEW v AS SELECT (1", DefinitionError, "never closed"),
        ("CREATE VIEW v AS SELECT 1; CREATE TABLE u (a INT)", DefinitionError, "u is a table"),
        ("CREATE VIEW v AS SELECT 1; CREATE VIEW v AS SELECT 2", DefinitionError, "v is defined twice"),
        ("CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT * FROM v", DefinitionError, "in a circle"),
        ("CREATE VIEW v AS SELECT 1; SELECT 1", DefinitionError, "line 1, column 28"),
        ("/nowhere.sql", NotFound, "nowhere"),
    ],
)
def test_what_is_no_view_is_told(viewed: Any, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(viewed, text)
    assert viewed.rows("SELECT viewname FROM pg_views WHERE schemaname = 'public'") == []


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def test_a_step_that_is_killed_leaves_the_former_views_and_can_be_run_again(viewed: Any) -> None:
    make(viewed, VIEWS)
    file = viewed.config.parent / "views.sql"
    file.write_text(VIEWS.replace("'x;'", "'y'"))
    command = [sys.executable, "-m", "ductrunner", "step", "create-view", "--view-definition", str(file)]
    holder = viewed.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT * FROM totals")  # the views before this one are replaced, then the step has to wait
        with subprocess.Popen(command, env=viewed.environment, cwd=CHECKOUT) as process:
            while not viewed.rows(WAITING):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
    holder.rollback()
    holder.close()
    while viewed.rows(WAITING):
        pass
    assert viewed.rows('SELECT MIN("order") FROM "odd name"') == [("ax;",)]
    assert subprocess.run(command, env=viewed.environment, cwd=CHECKOUT, check=False).returncode == 0
    assert viewed.rows('SELECT MIN("order") FROM "odd name"') == [("ay",)]

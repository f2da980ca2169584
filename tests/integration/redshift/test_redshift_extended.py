"""The extended protocol (Parse, Bind, Execute), as psql's \\bind and drivers with parameters use it."""

from __future__ import annotations


def test_redshifts_own_statements_run_as_prepared_ones(psql, put, tmp_path):
    address = put("data", "1|a\n2|b\n")
    script = tmp_path / "script.sql"
    script.write_text(
        "CREATE TABLE t (id int DISTKEY, name varchar(max)) \\bind \\g\n"
        f"COPY t FROM '{address}' IAM_ROLE default \\bind \\g\n"
        "SELECT $1::int + 1 \\bind 41 \\g\n"
        "SELECT sum(id), nvl(max(name), $1) FROM t \\bind x \\g\n"
        "SELECT 1/0 \\bind \\g\n"
        "SAVEPOINT x \\bind \\g\n"
        'SELECT tablename, "column" FROM pg_table_def WHERE distkey \\parse named\n'
        "\\bind_named named \\g\n"
        "TRUNCATE t \\parse empty_it\n"
        "\\bind_named empty_it \\g\n"
        "\\bind_named empty_it \\g\n"
        "\\close_prepared empty_it\n"
        "SELECT count(*) FROM t \\bind \\g\n"
    )
    done = psql("-q", "-f", str(script))
    assert done.stdout.split() == ["42", "3|b", "t|id", "0"]
    assert "division by zero" in done.stderr
    assert "SAVEPOINT is not supported by Redshift" in done.stderr
    assert done.stderr.count("ERROR") == 2


def test_a_failing_copy_in_a_prepared_statement_fails_the_transaction(psql, put, tmp_path):
    address = put("data", "x\n")
    script = tmp_path / "script.sql"
    script.write_text(
        "CREATE TABLE t (id int) \\bind \\g\n"
        "BEGIN \\bind \\g\n"
        f"COPY t FROM '{address}' IAM_ROLE default \\bind \\g\n"
        "SELECT 1 \\bind \\g\n"
        "ROLLBACK \\bind \\g\n"
        "SELECT line_number, error_code FROM sys_load_error_detail WHERE session_id = pg_backend_pid() \\bind \\g\n"
    )
    done = psql("-q", "-f", str(script))
    assert "Load into table 't' failed" in done.stderr
    assert "current transaction is aborted" in done.stderr
    assert done.stdout.split() == ["1|1207"]

"""``ductrunner sql-shell redshift | postgres | mysql ALIAS``: an interactive client, or the answer to one query."""

from __future__ import annotations

import sys

import click


@click.command(name="sql-shell")
@click.argument("kind", type=click.Choice(["redshift", "postgres", "mysql"]))
@click.argument("alias", required=False)
@click.option("--database", help="Another database than the configuration's.")
@click.option("--query", help="Print the rows of this query instead, which only reads (-: from standard input).")
@click.option(
    "--format", "form", type=click.Choice(["tsv", "csv", "json"]), default="tsv", show_default=True,
    help="tsv: tabs, backslash escapes, \\N for NULL; csv: nothing for NULL, two quotes for an empty text; "
    "json: an object a line.",
)  # fmt: skip
def sql_shell(kind: str, alias: str | None, database: str | None, query: str | None, form: str) -> None:
    """Open psql or mysql on a database of the configuration, without its password in any argument.

    mysql takes the alias of the host in the section mysql; redshift and postgres take none.
    """
    if (kind == "mysql") == (alias is None):
        raise click.UsageError(
            "write: redshift, postgres, or mysql ALIAS (a name of the configuration's section mysql)"
        )
    from core.settings import load_settings
    from steps_impl.sql_shell.answers import print_rows
    from steps_impl.sql_shell.clients import open_client
    from steps_impl.sql_shell.databases import find_database

    login = find_database(load_settings(), kind, alias, database)
    if query is None:
        sys.exit(open_client(kind, login))
    print_rows(kind, login, sys.stdin.read() if query == "-" else query, form)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.sections.creation import DatabaseSettings, Permission
from steps_impl.tables.grants import access_statements
from steps_impl.tables.model import TableName
from steps_impl.warehouse.maintenance import MaintenanceParameters, analyze, vacuum
from tests.unit.tables.conftest import redshift_grammar as redshift_grammar

Oracle = Callable[[str], list[str]]
NAME = TableName("t", "dev")


def granted(**permission: Any) -> str:
    [statement] = access_statements(NAME, DatabaseSettings(permissions=(Permission(**permission),)))
    return statement.text


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({"user": "a b", "permission": "all"}, 'ALL ON "dev"."t" TO "a b" WITH GRANT OPTION'),
        ({"user": "a", "permission": "select", "grant_option": False}, 'SELECT ON "dev"."t" TO "a"'),
        ({"group": 'g"', "permission": "Select ,insert"}, 'SELECT, INSERT ON "dev"."t" TO GROUP "g"""'),
        ({"role": "r", "permission": "all  privileges"}, 'ALL PRIVILEGES ON "dev"."t" TO ROLE "r"'),
        ({"public": True, "permission": "SELECT"}, 'SELECT ON "dev"."t" TO PUBLIC'),
    ],
)
def test_a_permission_is_one_grant_in_redshifts_words(
    permission: dict[str, Any], expected: str, redshift_grammar: Oracle
) -> None:
    assert granted(**permission) == f"GRANT {expected}"
    assert redshift_grammar(granted(**permission)) == []


@pytest.mark.parametrize(
    ("permission", "told"),
    [
        ({"permission": "SELECT"}, "exactly one of user, group, role and public"),
        ({"permission": "SELECT", "user": "a", "group": "b"}, "exactly one of"),
        ({"permission": "SELECT ON t TO x; --", "user": "a"}, "is not a privilege"),
        ({"permission": "ALL, SELECT", "user": "a"}, "'ALL' is not a privilege"),
        ({"permission": "SELECT", "group": "b", "grant_option": True}, "goes with a user"),
    ],
)
def test_a_permission_that_says_nothing_or_too_much_is_refused(permission: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Permission(**permission)


def test_the_owner_comes_after_the_grants(redshift_grammar: Oracle) -> None:
    database = DatabaseSettings(permissions=(Permission(public=True, permission="SELECT"),), owner="etl owner")
    grant, owner = (statement.text for statement in access_statements(NAME, database))
    assert grant.startswith("GRANT")
    assert owner == 'ALTER TABLE "dev"."t" OWNER TO "etl owner"'
    assert redshift_grammar(owner) == []


POLICIES = st.builds(
    MaintenanceParameters,
    analyze_threshold=st.none() | st.sampled_from([0, 2.5, 100]),
    vacuum=st.sampled_from(["full", "delete-only", "sort-only", "recluster"]),
    vacuum_to=st.none() | st.integers(0, 100),
    vacuum_boost=st.booleans(),
)


#: Without ``PREDICATE COLUMNS`` (Developer Guide, ANALYZE), which sqlfluff's grammar does not know.
@given(POLICIES)
@settings(max_examples=30)
def test_every_policy_is_sql_of_redshift(redshift_grammar: Oracle, policy: MaintenanceParameters) -> None:
    for statement in (vacuum(NAME, policy), *analyze(NAME, policy)):
        assert redshift_grammar(statement.text) == []


def test_a_policy_is_what_it_says() -> None:
    policy = MaintenanceParameters(vacuum="sort-only", vacuum_to=99, vacuum_boost=True, analyze_threshold=5)
    assert vacuum(NAME, policy).text == 'VACUUM SORT ONLY "dev"."t" TO 99 PERCENT BOOST'
    assert [statement.text for statement in analyze(NAME, policy)] == [
        "SET analyze_threshold_percent TO 5",
        'ANALYZE "dev"."t"',
    ]
    [predicate] = analyze(NAME, MaintenanceParameters(analyze_columns="predicate"))
    assert predicate.text == 'ANALYZE "dev"."t" PREDICATE COLUMNS'
    with pytest.raises(ValidationError, match="reindex"):
        MaintenanceParameters(vacuum="reindex", vacuum_to=3)

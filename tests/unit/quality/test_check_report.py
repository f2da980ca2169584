from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.errors import CheckFailed, ParameterError
from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.quality.report import CheckParameters, CheckReport, conclude, log_name, log_row, named_for
from tests.phases import Silent


def report(error_rate: float | None, tolerance: float = 0.0) -> CheckReport:
    return CheckReport("count-check", "public", "users", tolerance, error_rate, {"source": 3}, "3 against 4 rows")


def test_an_unknown_error_rate_is_a_failure() -> None:
    assert not report(None, tolerance=100.0).success


def test_a_rate_at_the_tolerance_passes() -> None:
    assert report(1.0, tolerance=1.0).success


def test_a_failed_check_fails_the_step_with_its_counts() -> None:
    with pytest.raises(CheckFailed, match=r"(?s)count-check of public.users FAILED.*source: 3"):
        conclude(report(2.0), CheckParameters(), Settings(), StepContext(Silent()))


def test_a_failed_check_that_only_warns_leaves_its_outcome_in_the_result() -> None:
    result = conclude(report(2.0), CheckParameters(on_failure="warn"), Settings(), StepContext(Silent()))
    assert result.details["success"] is False
    assert result.details["error_rate"] == 2.0


def test_the_log_row_has_dataducts_eight_values_and_key() -> None:
    values = log_row(
        report(None), CheckParameters(test_name="nightly.CountCheck0"), "", datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert values == ["public", "users", "nightly", "2026-01-02 00:00:00", "nightly.CountCheck0", "0", "0", "NULL"]
    assert log_name(values) == "public_users_nightly_2026-01-02_00:00:00_nightly_CountCheck0_0_0_NULL.tsv"


def test_several_checks_of_one_step_have_names_of_their_own() -> None:
    parameters = CheckParameters(test_name="pipeline.Checks")
    one, other = (replace(report(0.0), check=name) for name in ("null-rate of a", "null-rate of b"))
    rows = [
        log_row(found, named_for(found, parameters, 2), "", datetime(2026, 1, 1, tzinfo=UTC)) for found in (one, other)
    ]
    assert [row[4] for row in rows] == ["pipeline.Checks null-rate of a", "pipeline.Checks null-rate of b"]
    assert len({log_name(row) for row in rows}) == 2
    assert named_for(one, parameters, 1).test_name == "pipeline.Checks"


def test_a_report_needs_a_key_and_not_a_bucket_alone() -> None:
    with pytest.raises(ParameterError, match="names a bucket alone"):
        conclude(report(0.0), CheckParameters(report="s3://bucket"), Settings(), StepContext(Silent()))


def test_a_log_row_stays_one_row_of_eight_fields_whatever_the_names_hold() -> None:
    odd = replace(report(0.0), schema="", table="a\tb\r\nc")
    values = log_row(odd, CheckParameters(test_name="p.\ts"), "", datetime(2026, 1, 1, tzinfo=UTC))
    assert values == ["NULL", "a b c", "p", "2026-01-01 00:00:00", "p. s", "1", "0", "0"]


def test_a_failed_check_says_too_that_its_report_could_not_be_written() -> None:
    with pytest.raises(CheckFailed) as caught:
        conclude(report(2.0), CheckParameters(report="/nowhere/r.json"), Settings(), StepContext(Silent()))
    assert str(caught.value).startswith("count-check of public.users FAILED")
    assert "\n  and its report was not written: InvalidParameters: --report: cannot write /nowhere" in str(caught.value)


@pytest.mark.parametrize("rate", [0.0, 2.0])
def test_a_check_that_goes_on_fails_where_its_report_cannot_be_written(rate: float) -> None:
    parameters = CheckParameters(report="/nowhere/r.json", on_failure="warn")
    with pytest.raises(ParameterError, match="/nowhere"):
        conclude(report(rate), parameters, Settings(), StepContext(Silent()))

"""Redshift's own parameters of a session, which Postgres keeps in a namespace of their own."""

from __future__ import annotations

from typing import Final

_NAMESPACE: Final = "redshift"
_SESSION_SETTINGS: Final = frozenset(
    [
        "query_group",
        "wlm_query_slot_count",
        "enable_result_cache_for_session",
        "enable_case_sensitive_identifier",
        "enable_case_sensitive_super_attribute",
        "analyze_threshold_percent",
        "describe_field_name_in_uppercase",
        "json_serialization_enable",
        "json_serialization_parse_nested_strings",
        "mv_enable_aqmv_for_session",
        "navigate_super_null_on_error",
        "cast_super_null_on_error",
        "spectrum_enable_pseudo_columns",
        "spectrum_query_maxerror",
        "error_on_nondeterministic_update",
        "enable_numeric_rounding",
        "enable_vacuum_boost",
        "activate_aqua",
        "max_cursor_result_set_size",
        "default_geometry_encoding",
        "stored_proc_log_min_messages",
        "use_fips_ssl",
    ]
)


def setting_name(name: str) -> str:
    """Return what a parameter is called in Postgres."""
    return f"{_NAMESPACE}.{name}" if name in _SESSION_SETTINGS else name

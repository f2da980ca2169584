"""The checks, in the order in which their findings are shown: from who we are to what is around."""

from __future__ import annotations

from agent.doctor.checks.clock import check_clock
from agent.doctor.checks.configuration import check_configuration
from agent.doctor.checks.databases import check_mysql, check_postgres, check_redshift
from agent.doctor.checks.hooks import check_hooks
from agent.doctor.checks.identity import check_identity, check_region
from agent.doctor.checks.log_group import check_log_group
from agent.doctor.checks.machine import check_disk, check_memory, check_system
from agent.doctor.checks.permissions import check_permissions
from agent.doctor.checks.pipelines import check_pipelines
from agent.doctor.checks.proxy import check_proxy
from agent.doctor.checks.releases import check_releases
from agent.doctor.checks.running import check_running
from agent.doctor.checks.storage import check_storage
from agent.doctor.checks.topics import check_topics
from agent.doctor.checks.unit import check_unit
from agent.doctor.examination import Check

CHECKS = (
    Check("configuration", check_configuration),
    Check("identity", check_identity),
    Check("region", check_region),
    Check("permissions", check_permissions),
    Check("worker group", check_pipelines),
    Check("s3", check_storage),
    Check("sns", check_topics),
    Check("cloudwatch", check_log_group),
    Check("mysql", check_mysql),
    Check("postgres", check_postgres),
    Check("redshift", check_redshift),
    Check("disk", check_disk),
    Check("memory", check_memory),
    Check("clock", check_clock),
    Check("agent", check_running),
    Check("systemd", check_unit),
    Check("release", check_releases),
    Check("hooks", check_hooks),
    Check("proxy", check_proxy),
    Check("system", check_system),
)

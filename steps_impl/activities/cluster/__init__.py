"""Programs of a cluster, run on its primary node for an activity: ``hadoop``, ``pig``, ``hive``, shell scripts.

``Cluster`` finds a program, runs it as a child in the step's process group, copies its output while it comes, reads
progress and job ids from it, and leaves neither a process nor a YARN application behind. An activity's module says
what to run.
"""

from __future__ import annotations

from steps_impl.activities.cluster.cluster import Cluster, open_cluster
from steps_impl.activities.cluster.shell_scripts import ShellScriptConfig, run_config, run_script

__all__ = ["Cluster", "ShellScriptConfig", "open_cluster", "run_config", "run_script"]

"""The processes of attempts: started, watched, limited and ended with everything that descends from them.

::

    agent ── guard (agent.processes.guard_process) ──┬── shim ── command ── whatever it starts
                                                     └── shim ── command ── …

The guard is a small process beside the agent; it forks one shim for each command. Shim, guard and agent are
*subreapers* (prctl(2)): a process whose parent has died becomes a child of the nearest of them. So every process of an
attempt descends from its shim, however it was started and whatever it did to its session and environment, and a
tree without a living process is a shim without a child.

=====================  ===================================================================================
who dies               what happens
=====================  ===================================================================================
the agent              each shim sees the end of its socket and ends its tree; the guard waits for them,
                       ends what is left, removes what was staged
the guard              the shims become children of the agent, which ends them and stops loudly
the agent, the guard   the shims end their trees
a shim                 its tree comes to the guard, which ends it; the attempt fails
all of them            the next start of an agent ends what is left: ``agent.processes.leftovers``
=====================  ===================================================================================
"""

from __future__ import annotations

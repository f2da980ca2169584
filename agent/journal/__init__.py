"""What is in flight, and which terminal status is still owed, on the disk: for the agent that comes after this one.

::

    output/journal/<agent token>/lock          held (flock) as long as the agent lives
    output/journal/<agent token>/agent.json    host, pid, endpoint, region
    output/journal/<agent token>/<digest>-<n>  one attempt (``agent.journal.entry``)

An attempt's file is there before the task is acknowledged and until the service has taken its status. The directory of
an agent that ended in good order is empty and goes with it. What is found in a directory whose lock can be had was
left by a death (kill -9, the OOM killer, a power failure): ``agent.journal.recovery``.

The files hold task ids, which work like bearer tokens: only their owner can read them. Fields of tasks are not kept.
"""

"""What is read of the machine, and when that is too little."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent.gate import Gate
from agent.health import memory, proc
from agent.health.limits import limits
from agent.health.machine import Machine, Readings
from agent.health.machine_watch import MachineWatch
from agent.observer import Observer
from core.sections.worker import AgentSettings

MEMINFO = "MemTotal:       8000 kB\nMemFree:        1000 kB\nMemAvailable:   6000 kB\n"
PLENTY = Readings(10**12, 10**12, 10**6, 10**12, 10**12, 0.1, None)


def read_memory(tmp_path, own, files):
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return memory.read(tmp_path / "meminfo", tmp_path / "own", tmp_path / "mount")


def v2(limit, used, cache, directory="a/b"):
    names = {
        "memory.max": f"{limit}\n",
        "memory.current": f"{used}\n",
        "memory.stat": f"anon 1\ninactive_file {cache}\n",
    }
    return {f"{directory}/{name}": text for name, text in names.items()}


def v1(limit, used, cache):
    names = {"memory.limit_in_bytes": limit, "memory.usage_in_bytes": used}
    files = {f"memory/a/{name}": f"{value}\n" for name, value in names.items()}
    return files | {"memory/a/memory.stat": f"inactive_file 9\ntotal_inactive_file {cache}\n"}


def test_without_cgroups_it_is_the_machines_memory(tmp_path):
    found = read_memory(tmp_path, "", {})
    assert (found.available, found.total) == (6000 * 1024, 8000 * 1024)


def test_a_cgroup_v2_bounds_it_and_cache_that_can_go_counts_as_free(tmp_path):
    found = read_memory(tmp_path, "0::/a/b\n", v2(1000, 700, 100))
    assert (found.available, found.total) == (400, 1000)


def test_a_parent_cgroup_bounds_it_too(tmp_path):
    found = read_memory(tmp_path, "0::/a/b\n", v2("max", 700, 0) | v2(900, 800, 0, "a"))
    assert (found.available, found.total) == (100, 900)


def test_a_cgroup_v1_bounds_it(tmp_path):
    found = read_memory(tmp_path, "5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n", v1(1000, 950, 30))
    assert (found.available, found.total) == (80, 1000)


def test_a_cgroup_that_is_not_mounted_here_leaves_the_root_of_the_mount(tmp_path):
    found = read_memory(tmp_path, "0::/docker/of/the/host\n", v2(500, 100, 0, "."))
    assert (found.available, found.total) == (400, 500)


def test_what_is_used_beyond_the_limit_is_nothing_free(tmp_path):
    assert read_memory(tmp_path, "0::/a/b\n", v2(100, 300, 0)).available == 0


def test_the_readings_agree_with_psutil(tmp_path):
    machine = Machine(tmp_path / "not" / "there")
    found = machine.read()
    assert found.cpu is None
    assert found.disk_total == psutil.disk_usage(str(tmp_path)).total
    assert found.memory_total <= psutil.virtual_memory().total
    second = machine.read().cpu
    assert second is None or 0 <= second <= 100


def test_what_this_process_uses_agrees_with_psutil():
    own = psutil.Process()
    cpu, resident, threads, files = proc.own()
    assert cpu == pytest.approx(sum(own.cpu_times()[:2]), abs=0.5)
    assert resident == pytest.approx(own.memory_info().rss, rel=0.2)
    assert threads == own.num_threads()
    assert abs(files - own.num_fds()) <= 2


def test_a_process_is_known_by_its_start():
    assert proc.started(os.getpid()) == proc.started(os.getpid()) is not None
    assert proc.started(2**22 + 1) is None


class Scripted:
    """A machine that reads what it is told."""

    def __init__(self) -> None:
        self.now = PLENTY

    def read(self) -> Readings:
        return self.now


@pytest.fixture
def machine():
    return Scripted()


def watch_over(machine, gate, **settings):
    found = limits(AgentSettings(output=Path("/var/lib/ductrunner"), **settings))
    return MachineWatch(machine, found, gate, Observer())


@pytest.mark.parametrize(
    ("name", "setting", "short", "between", "well"),
    [
        ("disk", {"minimum_free_disk": 1000}, {"disk_free": 999}, {"disk_free": 1200}, {"disk_free": 1250}),
        ("inodes", {"minimum_free_inodes": 100}, {"inodes_free": 99}, {"inodes_free": 120}, {"inodes_free": 125}),
        ("memory", {"minimum_free_memory": 1000}, {"memory_available": 9}, {"memory_available": 1200}, {}),
        ("load", {"maximum_load": 2.0}, {"load": 2.1}, {"load": 1.9}, {"load": 1.8}),
    ],
)
def test_what_is_short_holds_the_intake_until_there_is_clearly_more(machine, name, setting, short, between, well):
    gate = Gate()
    watch = watch_over(machine, gate, **setting)
    for now, held in ((between, False), (short, True), (between, True), (well, False), (between, False)):
        machine.now = replace(PLENTY, **now)
        watch.look()
        assert (name in gate.reasons) == held, now


def test_the_reason_names_the_place_the_measure_and_the_setting(machine):
    gate = Gate()
    machine.now = replace(PLENTY, disk_free=5 * 1024**2)
    watch_over(machine, gate).look()
    assert gate.reasons["disk"] == (
        "5.0 MiB free for /var/lib/ductrunner, less than minimum_free_disk (64 MiB); free some, or enlarge the disk"
    )


def test_a_minimum_of_nothing_never_holds(machine):
    gate = Gate()
    machine.now = replace(PLENTY, disk_free=0, inodes_free=0, memory_available=0, load=99.0)
    watch_over(machine, gate, minimum_free_disk=0, minimum_free_inodes=0, minimum_free_memory=0).look()
    assert gate.reasons == {}


def test_a_file_system_without_a_number_of_inodes_never_lacks_them(machine):
    gate = Gate()
    machine.now = replace(PLENTY, inodes_free=None)
    watch_over(machine, gate).look()
    assert gate.reasons == {}

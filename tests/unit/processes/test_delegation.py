"""Which control group is ours is read from the kernel's tables; one that is not is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.processes import delegation
from agent.processes.delegation import divide, find_group, remove_forgotten


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A process whose mount of control groups is a folder; returns a function that says where it is in it."""
    mount = tmp_path / "a mount"
    mount.mkdir()

    def place(own: str, root: str = "/") -> Path:
        tables = {"/proc/self/cgroup": f"4:memory:/x\n0::{own}\n"}
        where = str(mount).replace(" ", "\\040")
        tables["/proc/self/mountinfo"] = f"29 1 0:26 {root} {where} rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
        read = Path.read_text
        monkeypatch.setattr(Path, "read_text", lambda path, *a, **k: tables.get(str(path)) or read(path, *a, **k))
        inside = mount / own.removeprefix(root).lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        return inside

    return place


def test_the_root_that_a_container_sees_is_ours(kernel):
    directory = kernel("/")
    assert find_group() == directory


def test_a_part_of_the_hierarchy_may_be_mounted(kernel):
    directory = kernel("/docker/c1", root="/docker/c1")
    assert find_group() == directory


def test_a_group_that_only_root_could_write_is_not_ours(kernel, monkeypatch):
    directory = kernel("/user.slice/session-1.scope")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_group() is None
    monkeypatch.setattr(os, "getxattr", lambda path, key: b"1" if key == "user.delegate" else b"")
    assert find_group() == directory


def test_a_group_of_our_own_user_is_ours_and_the_workers_part_of_it_is_not_divided_again(kernel, monkeypatch):
    directory = kernel("/system.slice/ductrunner.service/worker")
    monkeypatch.setattr(os, "geteuid", lambda: directory.stat().st_uid or 4711)
    monkeypatch.setattr(delegation, "_is_ours", lambda path, name: path == directory.parent)
    assert find_group() == directory.parent


def test_memory_is_shared_out_after_the_worker_has_moved_aside(tmp_path):
    for name, content in {
        "controllers": "cpu memory",
        "procs": "11\n12\n",
        "type": "domain",
        "subtree_control": "",
    }.items():
        (tmp_path / f"cgroup.{name}").write_text(content)
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "cgroup.procs").write_text("")
    divide(tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "worker" / "cgroup.procs").read_text() == "12"


def test_nothing_is_divided_where_memory_is_not_offered(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("hugetlb")
    divide(tmp_path)
    assert not (tmp_path / "worker").exists()


def test_groups_that_nobody_removed_go_when_they_are_old_and_empty(tmp_path):
    for name in ("ductrunner-old-1", "ductrunner-new-1", "ductrunner-full-1", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "ductrunner-full-1" / "inside").mkdir()
    for name in ("ductrunner-old-1", "ductrunner-full-1", "other"):
        os.utime(tmp_path / name, (0, 0))
    remove_forgotten(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"ductrunner-new-1", "ductrunner-full-1", "other"}

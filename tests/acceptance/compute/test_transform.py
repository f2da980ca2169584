"""``transform``: scripts with inputs and outputs in S3; what they get, what is published, and when nothing is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from core.errors import (
    ActivityTimedOut,
    CommandFailed,
    CommandKilled,
    DiskFull,
    NotFound,
    ParameterError,
    ScriptNotFound,
    StagingFailed,
    StoreError,
)
from steps_impl.compute import running
from stores.s3 import S3Store
from tests.acceptance.compute.conftest import Place
from tests.integration.agent.conftest import Bench, eventually


def test_a_command_reads_all_inputs_and_its_output_is_published_with_a_marker(place: Place) -> None:
    place.put("in/a/part-0", "one\n")
    place.put("in/a/deep/part-1", "two\n")
    place.put("in/b.txt", "three\n")
    place.put("in/a2/part-0", "neighbour\n")
    result = place.run(
        "transform",
        command='cat $(find $INPUT1_STAGING_DIR -type f | sort) "$INPUT2_STAGING_DIR/b.txt" '
        '> "$OUTPUT1_STAGING_DIR/all"; mkdir $OUTPUT1_STAGING_DIR/sub; : > $OUTPUT1_STAGING_DIR/sub/empty',
        input=(place.uri("in/a"), place.uri("in/b.txt")),
        output=(place.uri("out"),),
    )
    assert place.objects("out/") == {"_SUCCESS": b"", "all": b"two\none\nthree\n", "sub/empty": b""}
    assert (result.bytes, result.details["files"]) == (14, 2)


def test_named_inputs_share_a_directory_and_named_outputs_too(place: Place) -> None:
    for name in ("orders", "users"):
        place.put(f"src/{name}/part-0", f"{name}\n")
    place.put("src/third/x", "third\n")
    place.run(
        "transform",
        command="for name in orders users; do cp $INPUT1_STAGING_DIR/$name/part-0 $OUTPUT1_STAGING_DIR/$name; done; "
        "cp $INPUT2_STAGING_DIR/x $OUTPUT2_STAGING_DIR/; env | grep -c PUT._STAGING_DIR",
        input=[f"orders={place.uri('src/orders/')}", place.uri("src/third/"), f"users={place.uri('src/users')}"],
        output=[f"orders={place.uri('a/orders')}", f"users={place.uri('b/users/')}", place.uri("c")],
    )
    assert place.objects("a/") == {"orders/_SUCCESS": b"", "orders/part-0": b"orders\n"}
    assert place.objects("b/") == {"users/_SUCCESS": b"", "users/part-0": b"users\n"}
    assert place.objects("c/") == {"_SUCCESS": b"", "x": b"third\n"}


def test_run_twice_it_leaves_what_the_second_run_wrote(place: Place) -> None:
    place.put("out2/other", "not ours")
    for number in (1, 2):
        command = f"echo {number} > $OUTPUT1_STAGING_DIR/same; : > $OUTPUT1_STAGING_DIR/only-{number}"
        place.run("transform", command=command, output=(place.uri("out"),))
    assert place.objects("out/") == {"_SUCCESS": b"", "only-2": b"", "same": b"2\n"}
    assert place.objects("out2/") == {"other": b"not ours"}


def test_of_a_script_that_fails_nothing_is_published_and_the_error_holds_its_last_lines(place: Place) -> None:
    place.put("out/former", "kept")
    place.put("out/_SUCCESS")
    command = "echo half > $OUTPUT1_STAGING_DIR/half; for n in $(seq 20); do echo line $n >&2; done; exit 7"
    with pytest.raises(CommandFailed, match=r"the command ended with exit status 7; its last lines: line 13 \| .*20$"):
        place.run("transform", command=command, output=(place.uri("out"),))
    assert place.objects("out/") == {"_SUCCESS": b"", "former": b"kept"}


@pytest.mark.parametrize("together", [5000, 1])
def test_when_an_upload_fails_the_former_output_stands(
    place: Place, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("steps_impl.compute.outputs.TOGETHER", together)
    place.put("out/former", "kept")
    place.put("out/_SUCCESS")
    command = "echo x > $OUTPUT1_STAGING_DIR/a/x; echo y > $OUTPUT1_STAGING_DIR/b/y"
    outputs = [f"a={place.uri('out')}", "b=s3://no-such-bucket-at-all/out"]
    with pytest.raises(StoreError, match="no-such-bucket-at-all"):
        place.run("transform", command=command, output=outputs)
    assert place.objects() == {"out/_SUCCESS": b"", "out/former": b"kept"}


def test_scripts_come_from_s3_from_this_machine_and_in_directories(place: Place, tmp_path: Path) -> None:
    show = 'import os, sys\nopen(os.environ["OUTPUT1_STAGING_DIR"] + "/x", "w").write(" ".join(sys.argv[1:]))\n'
    in_s3 = place.put("scripts/show.py", "#!/usr/bin/env python3\n" + show)
    local = tmp_path / "local script.sh"
    local.write_text('[[ $1 == a* ]] && printf "%s" "$*" > "$OUTPUT1_STAGING_DIR/x"')
    folder = tmp_path / "folder"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "helper").write_text('#!/bin/sh\nprintf "%s" "$*" > "$OUTPUT1_STAGING_DIR/x"\n')
    (folder / "main.sh").write_text('"$INPUT1_STAGING_DIR/lib/helper" "$@"')
    sources = [
        {"script": in_s3},
        {"script_uri": in_s3},
        {"script": str(local)},
        {"script_directory": str(folder), "script_name": "main.sh"},
    ]
    for number, source in enumerate(sources):
        place.run("transform", **source, script_arguments=["a b", f"{number}"], output=[place.uri("out")])
        assert place.objects("out/")["x"] == f"a b {number}".encode()
    assert not os.access(folder / "lib" / "helper", os.X_OK), "the user's own files are changed"


def test_a_directory_of_scripts_is_one_more_input_behind_the_others(place: Place) -> None:
    place.put("code/bin/main.sh", 'cat "$INPUT1_STAGING_DIR/f" "$INPUT2_STAGING_DIR/words" > $OUTPUT1_STAGING_DIR/x')
    place.put("code/words", "words\n")
    place.put("in/f", "input\n")
    place.run(
        "transform",
        script_directory=place.uri("code"),
        script_name="bin/main.sh",
        input=[place.uri("in/")],
        output=[place.uri("out")],
    )
    assert place.objects("out/")["x"] == b"input\nwords\n"


def test_additional_files_lie_where_the_script_runs(place: Place, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("one ")
    files = [str(tmp_path / "one.txt"), place.put("x/two.txt", "two")]
    place.run("transform", command="cat one.txt two.txt > $OUTPUT1_STAGING_DIR/x", additional_files=files,
              output=[place.uri("out")])  # fmt: skip
    assert place.objects("out/")["x"] == b"one two"
    with pytest.raises(ParameterError, match=r"two additional files have the name 'two.txt'"):
        place.run("transform", command="true", additional_files=[files[1], place.put("y/two.txt")])


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        (["--a", 1, "x y"], ["--a", "1", "x y"]),
        ({"name": "value", "n": 2}, ["--name=value", "--n=2"]),
        ("one text'?", ["one text'?"]),
        ([{"name": "day", "value": "x", "type": "sql"}, "last"], ["--day=x", "last"]),
    ],
)
def test_arguments_are_a_list_an_object_or_a_text(place: Place, given: object, arguments: list[str]) -> None:
    place.run("transform", command='printf "%s\\n" "$@" > $OUTPUT1_STAGING_DIR/x', script_arguments=given,
              output=[place.uri("out")])  # fmt: skip
    assert place.objects("out/")["x"].decode().splitlines() == arguments


def test_what_the_worker_has_staged_keeps_its_numbers(place: Place, tmp_path: Path) -> None:
    staged = {"INPUT1_STAGING_DIR": str(tmp_path / "i"), "OUTPUT1_STAGING_DIR": str(tmp_path / "o")}
    for path in staged.values():
        Path(path).mkdir()
    (tmp_path / "i" / "f").write_text("staged\n")
    place.put("in/g", "ours\n")
    given = {"input": [place.uri("in/")], "output": [place.uri("out")]}
    command = "cat $INPUT1_STAGING_DIR/f $INPUT2_STAGING_DIR/g | tee $OUTPUT1_STAGING_DIR/x > $OUTPUT2_STAGING_DIR/x"
    place.run("transform", staged, command=command, **given)
    assert (tmp_path / "o" / "x").read_text() == "staged\nours\n"
    assert place.objects("out/")["x"] == b"staged\nours\n"
    place.run("transform", staged, command='test -z "$INPUT1_STAGING_DIR$OUTPUT1_STAGING_DIR"', no_input=True,
              no_output=True)  # fmt: skip


def test_a_script_gets_no_keys_that_are_the_workers_own_and_no_result_file(place: Place) -> None:
    lent = {"DUCTRUNNER_LENT_KEYS": "AWS_LENT_KEY", "AWS_LENT_KEY": "AKIA", "OWN": "mine"}
    command = 'test -z "$AWS_LENT_KEY$DUCTRUNNER_LENT_KEYS$DUCTRUNNER_RESULT" && test "$OWN" = mine'
    place.run("transform", lent, command=command)


def has_ended(pid: int) -> bool:
    """Whether a process runs no more; its entry may still wait for its parent."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_program_and_what_it_started_are_ended_when_its_time_is_over(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "end_tree", partial(running.end_tree, grace=0.1))
    pids = tmp_path / "pids"
    command = f"trap '' TERM; sleep 1000 & echo $! > {pids}; sleep 1000 & echo $! >> {pids}; wait; sleep 1000"
    with pytest.raises(ActivityTimedOut, match=r"took longer than its time limit of 0.5 s"):
        place.run("transform", command=command, timeout=0.5)
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    eventually(lambda: all(map(has_ended, started)), "the end of what ignores TERM")


def test_what_a_script_leaves_running_is_ended_before_its_output_is_published(place: Place, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    place.run("transform", command=f"sleep 1000 & echo $! > {pid}", output=[place.uri("out")])
    eventually(lambda: has_ended(int(pid.read_text())), "the end of what was left running")


def test_a_signal_that_was_not_ours_is_told(place: Place) -> None:
    with pytest.raises(CommandKilled, match="killed by signal 9"):
        place.run("transform", command="kill -9 $$")


def test_inputs_and_scripts_that_are_not_there_are_named(place: Place, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        place.run("transform", command="true", input=[place.uri("nowhere")])
    for missing in ("nowhere.sh", str(tmp_path / "nowhere.sh"), place.uri("nowhere.sh")):
        with pytest.raises(ScriptNotFound, match=r"nowhere\.sh"):
            place.run("transform", script=missing)
    place.put("code/x")
    with pytest.raises(ScriptNotFound, match=r"the script main\.sh"):
        place.run("transform", script_directory=place.uri("code"), script_name="main.sh")
    with pytest.raises(DiskFull, match="free"):
        place.run("transform", {"DUCTRUNNER_AGENT_MINIMUM_FREE_DISK": str(1 << 60)}, command="true",
                  input=[place.uri("code/")])  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "give one of command, script, script_uri, script_directory; there is none"),
        ({"command": "a", "script": "b"}, "there is command and script"),
        ({"command": " "}, "command is empty"),
        ({"script_directory": "d"}, "script_directory and script_name go together"),
        ({"script_directory": "d", "script_name": "../x"}, "a path inside script_directory"),
        ({"command": "a", "input": ["/x"]}, "is not an S3 address"),
        ({"command": "a", "input": ["..=s3://b/k"]}, "no name of a directory"),
        ({"command": "a", "input": ["a=s3://b/k", "a=s3://b/l"]}, "the name 'a' is given twice"),
        ({"command": "a", "output": ["s3://b"]}, "is a whole bucket"),
        ({"command": "a", "output": ["s3://b/o", "s3://b/o/p/"]}, "lie in one another"),
        ({"command": "a", "input": ["s3://b/o/in"], "output": ["s3://b/o"]}, "lie in one another"),
        ({"command": "a", "no_input": True, "input": ["s3://b/k"]}, "no_input goes without input"),
        ({"command": "a", "timeout": 0}, "greater than 0"),
        ({"command": "a", "script_arguments": ["a\0b"]}, "cannot hold NUL"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(
    parameters: dict[str, object], words: str, place: Place
) -> None:
    with pytest.raises(ValidationError, match=words):
        place.run("transform", **parameters)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo x > $OUTPUT1_STAGING_DIR/beside", "'beside' lies in .OUTPUT1_STAGING_DIR beside the named outputs"),
        ("ln -s /etc/passwd $OUTPUT1_STAGING_DIR/a/link", "leads out of the staging directory"),
        ("rm -r $OUTPUT1_STAGING_DIR/a", "is gone"),
    ],
)
def test_what_cannot_be_published_changes_nothing(place: Place, command: str, words: str) -> None:
    place.put("a/former", "kept")
    with pytest.raises(StagingFailed, match=words):
        place.run("transform", command=command, output=[f"a={place.uri('a')}"])
    assert place.objects("a/") == {"former": b"kept"}


def test_odd_names_and_many_small_files_come_and_go(place: Place) -> None:
    names = [f"d{number % 7}/ü {number} 'x'" for number in range(60)] + [" leading", "-dash"]
    for name in names[-4:]:
        place.put(f"in/{name}", name)
    command = (
        'cp -r "$INPUT1_STAGING_DIR"/. "$OUTPUT1_STAGING_DIR"; cd "$OUTPUT1_STAGING_DIR"; mkdir -p d{0..6}; '
        "for n in {0..59}; do : > \"d$((n % 7))/ü $n 'x'\"; done"
    )
    result = place.run("transform", command=command, input=[place.uri("in/")], output=[place.uri("out/")])
    assert set(place.objects("out/")) == {"_SUCCESS", *names}
    assert result.details["files"] == len(names)


def test_of_more_files_than_appear_together_the_marker_still_comes_last(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steps_impl.compute.outputs.TOGETHER", 1)
    seen: list[tuple[str, list[str]]] = []

    def look(name: str) -> None:
        real = getattr(S3Store, name)

        def looking(store: S3Store, *arguments: object) -> object:
            seen.append((name, sorted(place.objects("out/"))))
            return real(store, *arguments)

        monkeypatch.setattr(S3Store, name, looking)

    for name in ("upload_many", "copy_each", "put_bytes"):
        look(name)
    place.put("out/_SUCCESS")
    place.run("transform", command="touch $OUTPUT1_STAGING_DIR/{1..3}", output=[place.uri("out")])
    assert seen == [("upload_many", ["_SUCCESS"]), ("copy_each", []), ("put_bytes", ["1", "2", "3"])]
    assert set(place.objects()) == {"out/_SUCCESS", "out/1", "out/2", "out/3"}


def test_as_a_command_its_output_passes_through_and_the_result_says_what_failed(place: Place, tmp_path: Path) -> None:
    place.put("in/f", "text\n")
    words = ["--command", 'cat $INPUT1_STAGING_DIR/f; echo "said $1" >&2; exit $2', "--input", place.uri("in/")]
    status, out, err = place.command("transform", *words, "--script-arguments", "this", "0")
    assert status == 0, err
    assert out.splitlines()[0] == "text"
    assert "said this" in err
    status, _, _ = place.command("transform", *words, "--", "--that", "3")
    assert status == 1
    assert place.told() == {
        "status": "failed",
        "errorId": "CommandFailed",
        "errorMessage": "the command ended with exit status 3; its last lines: said --that",
    }
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"command": "true", "comand": "x"}))
    assert place.command("transform", "--params", str(wrong))[0] == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_in_the_middle_it_publishes_nothing_and_a_rerun_finishes(
    place: Place, tmp_path: Path, number: signal.Signals
) -> None:
    begun = tmp_path / "begun"
    place.put("out/former", "kept")
    words = ["--command", f"echo new > $OUTPUT1_STAGING_DIR/new; {{ test -e {begun} || (touch {begun}; sleep 1000); }}"]
    words += ["--output", place.uri("out")]
    process = place.start("transform", *words)
    eventually(begun.exists, "the script's beginning")
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (143 if number == signal.SIGTERM else -9)
    eventually(lambda: all(has_ended(member.pid) for member in family), "the end of all that it started")
    if number == signal.SIGTERM:
        assert [path.name for path in place.result.parent.iterdir()] == ["result.json"]
        assert place.told()["errorId"] == "Interrupted"
    assert place.objects("out/") == {"former": b"kept"}
    assert place.command("transform", *words)[0] == 0
    assert place.objects("out/") == {"_SUCCESS": b"", "new": b"new\n"}


def test_as_a_task_with_stage_it_works_on_what_the_worker_has_staged(
    bench: Bench,
    place: Place,
) -> None:
    place.put("in/f", "staged\n")
    work = {
        "id": "Work",
        "type": "ShellCommandActivity",
        "command": "ductrunner step transform --command 'tee $OUTPUT2_STAGING_DIR/own < $INPUT1_STAGING_DIR/f "
        f"> $OUTPUT1_STAGING_DIR/x' --output {place.uri('own')}",
        "stage": "true",
        "input": {"ref": "In"},
        "output": {"ref": "Out"},
        "maximumRetries": "0",
    }
    nodes = [
        {"id": name, "type": "S3DataNode", "directoryPath": place.uri(name.lower() + "/")} for name in ("In", "Out")
    ]
    bench.agent("--once")
    pipeline = bench.run(work, *nodes)
    attempt = bench.ended(pipeline)
    assert attempt["@status"] == "FINISHED", attempt
    assert place.objects("out/") == {"x": b"staged\n"}
    assert place.objects("own/") == {"_SUCCESS": b"", "own": b"staged\n"}


STRIKE = """
import os, signal, sys
from stores.s3 import operations, store
def strike(owner, name, number):
    do, count = getattr(owner, name), [0]
    def struck(*arguments, **named):
        count[0] += 1
        if count[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*arguments, **named)
    setattr(owner, name, struck)
owners = {"complete": operations.Multipart, "start_upload": store, "start_copy_at_once": store}
owners |= {"put_bytes": store.S3Store, "delete": store.S3Store}
strike(owners[sys.argv[1]], sys.argv[1], int(sys.argv[2]))
sys.argv[1:3] = []
from steps_impl.compute import outputs
outputs.TOGETHER = int(sys.argv.pop(1))
from ductrunner.cli import main
main()
"""


@pytest.mark.parametrize(
    ("moment", "left", "together"),
    [
        (("delete", 1), {"_SUCCESS", "former", "same"}, 5000),
        (("complete", 1), {"former", "same"}, 5000),
        (("delete", 2), {"former", "same", "new"}, 5000),
        (("put_bytes", 1), {"same", "new"}, 5000),
        (("start_upload", 2), {"_SUCCESS", "former", "same"}, 1),
        (("start_copy_at_once", 1), {"former", "same"}, 1),
        (("put_bytes", 1), {"same", "new"}, 1),
    ],
)
def test_killed_while_it_publishes_there_is_no_marker_beside_a_half_and_a_rerun_replaces_all(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: tuple[str, int], left: set[str], together: int
) -> None:
    monkeypatch.setattr("steps_impl.compute.outputs.TOGETHER", together)
    for name in ("_SUCCESS", "former", "same"):
        place.put(f"out/{name}", "" if name == "_SUCCESS" else "old")
    words = ["step", "transform", "--command", "cd $OUTPUT1_STAGING_DIR; printf 2 > same; printf 2 > new"]
    words += ["--output", place.uri("out")]
    command = [sys.executable, "-c", STRIKE, moment[0], str(moment[1]), str(together), *words]
    assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == -signal.SIGKILL
    assert set(place.objects("out/")) == left
    assert place.run("transform", command=words[3], output=[place.uri("out")]).details["files"] == 2
    assert place.objects() == {"out/_SUCCESS": b"", "out/same": b"2", "out/new": b"2"}

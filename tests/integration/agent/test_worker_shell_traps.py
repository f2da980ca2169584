"""Odd commands, scripts, names and arguments: what the shell gets is what the definition says."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def trap_results(served_session):
    """Every trap as one activity of one pipeline: its attempt and its output, by id."""
    outputs = {name: served_session.directory / f"trap-{number}" for number, name in enumerate(TRAPS)}
    common = {"type": "ShellCommandActivity", "maximumRetries": "0"}
    activities = [{"id": name, **common, "stdout": str(outputs[name]), **fields} for name, fields in TRAPS.items()]
    pipeline = served_session.run(*activities)
    attempts = {entry["@componentParent"]: entry for entry in served_session.all_ended(pipeline, len(TRAPS))}
    return {name: (attempts[name], outputs[name].read_bytes()) for name in TRAPS}


ARGUMENTS = ["a b", "*", "-n", "--", "x\ny", "日本", "'", '"', "\\", "#", "${HOME}", "$(id)", *map(str, range(28))]
LONG = "é" * 128
TRAPS = {
    "Quotes": {"command": """printf '%s|%s' "a'b" 'c"d'"""},
    "OwnExpansion": {"command": "echo #{1+2} $((1+2)) $# '#x' ${NOTHING-unset}"},
    "HereDocument": {"command": "cat <<'E'\n$HOME `x` \\n\nE\n"},
    "Replaced": {"command": "exec printf replaced"},
    "Closed": {"command": "exec >&- 2>&-; exit 0"},
    "Stdin": {"command": "cat; read line; echo $?"},
    "Huge": {"command": "head -c 200000000 /dev/zero | tr '\\0' x"},
    "Binary": {"command": "printf '\\0\\1\\033[31mred\\033[0m\\377' | tee /dev/stderr; exit 9"},
    "Unicode": {"command": "echo 'Größe 日本 🚀' >&2; exit 5"},
    "NoNewline": {"command": "printf last >&2; exit 4"},
    "BackgroundChild": {"command": "sleep 99999 & echo done"},
    "Arguments": {"command": 'printf "<%s>" "$@"', "scriptArgument": ARGUMENTS},
    "Umask": {"command": "umask; touch file; ls"},
    "LongTimeout": {"command": "echo done", "attemptTimeout": "900 years"},
    LONG: {"command": "echo long"},
    "a/../b": {"command": "echo dots"},
    "Exit255": {"command": "exit 255"},
    "Exit160": {"command": "exit 160"},
    "Exit137": {"command": "exit 137"},
    "Exit128": {"command": "exit 128"},
    "Terminated": {"command": "kill -TERM $$"},
    "RealTimeSignal": {"command": "kill -40 $$"},
    "Pipe": {"command": "yes | head -1; exit ${PIPESTATUS[0]}"},
}


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("Quotes", b"a'b|c\"d"),
        ("OwnExpansion", b"3 3 0 #x unset\n"),
        ("HereDocument", b"$HOME `x` \\n\n"),
        ("Replaced", b"replaced"),
        ("Closed", b""),
        ("Stdin", b"1\n"),
        ("Arguments", "".join(f"<{argument}>" for argument in ARGUMENTS).encode()),
        ("BackgroundChild", b"done\n"),
        ("LongTimeout", b"done\n"),
        (LONG, b"long\n"),
        ("a/../b", b"dots\n"),
    ],
)
def test_a_command_gets_and_writes_what_it_should(trap_results, name, output):
    attempt, written = trap_results[name]
    assert attempt["@status"] == "FINISHED", attempt
    assert written == output


def test_a_huge_output_arrives_whole(trap_results):
    attempt, written = trap_results["Huge"]
    assert attempt["@status"] == "FINISHED", attempt
    assert (len(written), written.strip(b"x")) == (200_000_000, b"")


def test_the_umask_is_the_agents_and_the_directory_is_the_commands_own(trap_results):
    attempt, written = trap_results["Umask"]
    own = os.umask(0)
    os.umask(own)
    lines = written.decode().splitlines()
    assert attempt["@status"] == "FINISHED", attempt
    assert int(lines[0], 8) == own
    assert [line for line in lines[1:] if not line.endswith("_command.sh")] == ["file"]


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("Exit255", "the command ended with exit status 255\n"),
        ("Exit160", "the command ended with exit status 160\n"),
        ("Exit128", "the command ended with exit status 128\n"),
        (
            "Exit137",
            "the command ended with exit status 137 (a process in it was ended by SIGKILL; look for the out-of",
        ),
        ("Pipe", "the command ended with exit status 141 (a process in it was ended by SIGPIPE)\n"),
        ("Terminated", "the command was ended by SIGTERM\n"),
        ("RealTimeSignal", "the command was ended by signal 40\n"),
        ("NoNewline", "the command ended with exit status 4\nlast lines of stderr:\nlast\nlogs: "),
        ("Unicode", "the command ended with exit status 5\nlast lines of stderr:\nGröße 日本 🚀\nlogs: "),
        ("Binary", "the command ended with exit status 9\nlast lines of stderr:\nred\ufffd\nlogs: "),
    ],
)
def test_a_failure_says_what_happened_and_no_more(trap_results, name, beginning):
    attempt, _ = trap_results[name]
    assert attempt["@status"] == "FAILED"
    assert attempt["errorMessage"].startswith(beginning)


@pytest.mark.parametrize(
    ("key", "body", "output"),
    [
        ("crlf.sh", b"#!/bin/bash\r\necho hi\r\n", b"hi\r\n"),
        ("empty.sh", b"", b""),
        ("no-newline", b"echo $#", b"2"),
        ("mark-only", b"#!", b""),
        ("\u00fcn\u00ef c+%20 x.sh", b"echo unicode\n", b"unicode\n"),
        ("huge.sh", b"#" * 20_000_000 + b"\necho huge\n", b"huge\n"),
        ("python", b"#! /usr/bin/env python3\nimport sys; print(sys.argv[1:])\n", b"['a b', '*']\n"),
    ],
)
def test_a_script_in_s3_may_have_any_name_and_form(served, s3_client, s3_bucket, key, body, output):
    s3_client.put_object(Bucket=s3_bucket, Key=f"scripts/{key}", Body=body)
    uri = f"s3://{s3_bucket}/scripts/{key}"
    pipeline = served.shell(None, scriptUri=uri, scriptArgument=["a b", "*"])
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline).encode().strip() == output.strip()


@pytest.mark.parametrize(
    ("uri", "error", "words"),
    [
        ("s3://{bucket}/not-there.sh", "ScriptNotFound", "not-there.sh does not exist"),
        ("s3://{bucket}/scripts/", "ScriptNotFound", "names no file"),
        ("s3://{bucket}", "ScriptNotFound", "names no file"),
        ("s3://no-such-bucket-anywhere/x.sh", "ScriptNotFound", "no-such-bucket-anywhere"),
        ("/etc/hostname", "InvalidParameters", "is not an S3 address"),
    ],
)
def test_a_script_that_cannot_be_had_is_named(served, s3_client, s3_bucket, uri, error, words):
    s3_client.put_object(Bucket=s3_bucket, Key="scripts/", Body=b"echo a marker is no script")
    attempt = served.ended(served.shell(None, scriptUri=uri.format(bucket=s3_bucket)))
    assert attempt["errorId"] == error
    assert words in attempt["errorMessage"]


def test_a_failed_command_stays_the_reason_when_its_output_cannot_be_copied_either(served):
    pipeline = served.shell("echo why >&2; exit 17", stdout="s3://no-such-bucket-anywhere/o", stderr="/proc/no/x")
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "CommandFailed"
    assert attempt["errorMessage"].startswith("the command ended with exit status 17\nlast lines of stderr:\nwhy\n")


def test_output_that_cannot_be_copied_fails_a_good_command(served):
    attempt = served.ended(served.shell("echo fine", stdout="s3://no-such-bucket-anywhere/o"))
    assert attempt["errorId"] == "StagingFailed"
    assert "s3://no-such-bucket-anywhere/o" in attempt["errorMessage"]

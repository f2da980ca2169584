"""The command line of TaskRunner, word by word, and the files and variables beside it."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from agent.cli import agent as command
from agent.credentials import Credentials, own_access, read_credentials, use_credentials
from agent.flags import Flags, use_proxy
from core.errors import SettingsError
from stores.web import find_address

#: The flags that AWS documents, with a value, and the name of each in ours.
DOCUMENTED = {
    "config": ("credentials.json", "config", Path("credentials.json")),
    "accessId": ("AKIDEXAMPLE", "access_id", "AKIDEXAMPLE"),
    "accessID": ("AKIDEXAMPLE", "access_id", "AKIDEXAMPLE"),
    "secretKey": ("a/secret+key=", "secret_key", "a/secret+key="),
    "endpoint": ("https://datapipeline.example", "endpoint", "https://datapipeline.example"),
    "workerGroup": ("wg-12345", "worker_group", "wg-12345"),
    "taskrunnerId": ("me", "taskrunner_id", "me"),
    "output": ("/var/out", "output", Path("/var/out")),
    "region": ("eu-west-1", "region", "eu-west-1"),
    "logUri": ("s3://mybucket/foldername", "log_uri", "s3://mybucket/foldername"),
    "tasks": ("5", "tasks", 5),
    "proxyHost": ("proxy", "proxy_host", "proxy"),
    "proxyPort": ("3128", "proxy_port", 3128),
    "proxyUsername": ("CORP\\me", "proxy_username", "CORP\\me"),
    "proxyPassword": ("p@ss:w/ord", "proxy_password", "p@ss:w/ord"),
    "proxyDomain": ("CORP", "proxy_domain", "CORP"),
    "proxyWorkstation": ("PC", "proxy_workstation", "PC"),
}


def parsed(*arguments):
    return command.make_context("agent", list(arguments)).params


def flags_of(*arguments):
    return Flags(**parsed(*arguments))


@pytest.mark.parametrize("flag", DOCUMENTED)
def test_each_documented_flag_is_read_with_an_equals_sign_and_with_a_blank(flag):
    value, name, meant = DOCUMENTED[flag]
    assert parsed(f"--{flag}={value}")[name] == meant
    assert parsed(f"--{flag}", value)[name] == meant


@pytest.mark.parametrize("flag", ["worker-group", "log-uri", "access-id", "secret-key", "proxy-host", "taskrunner-id"])
def test_our_spelling_is_read_too(flag):
    assert parsed(f"--{flag}=value")[flag.replace("-", "_")] == "value"


@pytest.mark.parametrize(
    "line",
    [
        "java -jar TaskRunner-1.0.jar --config ~/credentials.json --workerGroup=g --region=eu-west-1 --logUri=s3://b/f",
        "java -jar TaskRunner-1.0.jar --workerGroup=g --region eu-west-1 --logUri s3://b/f --tasks=4 --output /mnt/out",
        "java -jar TaskRunner-1.0.jar --workerGroup g --region=eu-west-1 --logUri=s3://b/f --taskrunnerId i-1",
    ],
)
def test_an_old_launch_line_is_read_with_the_name_of_the_program_alone_replaced(line):
    old = "java -jar TaskRunner-1.0.jar"
    program, *arguments = shlex.split(line.replace(old, "ductrunner"))
    given = parsed(*arguments)
    assert program == "ductrunner"
    assert (given["worker_group"], given["region"], given["log_uri"]) == ("g", "eu-west-1", "s3://b/f")


def test_help_names_every_documented_flag():
    text = command.get_help(command.make_context("agent", []))
    assert [flag for flag in DOCUMENTED if f"--{flag}" not in text] == []


def written(directory, text, name="credentials.json"):
    path = directory / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["credentials.json", "taskrunner.conf", "keys"])
def test_keys_are_found_in_a_file_of_any_name(tmp_path, name):
    path = written(tmp_path, '{"access-id": "AKID", "private-key": " secret \\n", "region": "eu-west-1"}', name)
    assert read_credentials(path) == Credentials(path, "AKID", "secret")


@pytest.mark.parametrize("text", ["", " \n", "{}", '{"access-id": "", "private-key": ""}'])
def test_a_file_without_keys_leaves_them_to_the_default_chain(tmp_path, text):
    path = written(tmp_path, text)
    assert read_credentials(path) == Credentials(path)


@pytest.mark.parametrize("text", ["agent: {tasks: 3}", '{"agent": {"tasks": 3}}', "", "no: [json"])
def test_a_configuration_is_no_file_of_keys(tmp_path, text):
    assert read_credentials(written(tmp_path, text, "ductrunner.yaml")) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"access-id": "AKID"}', "must hold"),
        ('{"access-id": "AKID", "private-key": ""}', "must hold"),
        ('{"access-id": 7, "private-key": "x-secret"}', "must hold"),
        ('{"accessId": "AKID", "secretKey": "x-secret"}', "must hold"),
        ('{"access-id": "AKID", "private-key": "x-secret"', "it is not JSON"),
    ],
)
def test_a_file_with_half_of_the_keys_is_refused_without_a_word_of_them(tmp_path, text, words):
    with pytest.raises(SettingsError, match=words) as caught:
        read_credentials(written(tmp_path, text))
    assert "x-secret" not in str(caught.value)


def test_one_key_of_the_flags_alone_is_refused():
    with pytest.raises(SettingsError, match="both --accessId and --secretKey"):
        use_credentials("AKID", None)


def test_the_proxy_of_the_flags_wins_over_both_spellings_of_the_variable(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://small:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://large:1")
    use_proxy(flags_of("--proxyHost=proxy", "--proxyPort=3128", "--proxyUsername=CORP\\me", "--proxyPassword=p@:/ss"))
    address, _ = find_address("https://datapipeline.us-east-1.amazonaws.com", "the endpoint")
    assert address.proxy is not None
    assert address.proxy.authority == "proxy:3128"
    [(name, value)] = address.proxy.headers
    assert (name, value) == ("Proxy-Authorization", "Basic Q09SUFxtZTpwQDovc3M=")
    assert own_access(None)["HTTPS_PROXY"] == "http://CORP%5Cme:p%40%3A%2Fss@proxy:3128"


def test_a_child_of_our_own_finds_the_service_that_the_flags_name():
    assert own_access("eu-west-1", "http://localhost:1")["AWS_ENDPOINT_URL_DATA_PIPELINE"] == "http://localhost:1"
    assert "AWS_ENDPOINT_URL_DATA_PIPELINE" not in own_access("eu-west-1")


@pytest.mark.parametrize("flag", ["--proxyDomain=CORP", "--proxyWorkstation=PC"])
def test_an_ntlm_proxy_is_refused(flag):
    with pytest.raises(SettingsError, match="NTLM"):
        use_proxy(flags_of("--proxyHost=proxy", flag))


@pytest.fixture(autouse=True)
def kept_environment(monkeypatch):
    """What a test sets of these is gone afterwards."""
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
        monkeypatch.delenv(name)


@pytest.mark.parametrize("uri", ["mybucket/folder", "https://bucket/folder", "s3://", "s3:///folder"])
def test_a_log_uri_that_is_no_place_in_s3_is_refused(uri, monkeypatch, tmp_path):
    monkeypatch.setenv("DUCTRUNNER_CONFIG", os.devnull)
    with pytest.raises(SettingsError, match="--logUri"):
        command.main(["--workerGroup=g", f"--logUri={uri}", f"--output={tmp_path}"], standalone_mode=False)


def test_a_home_directory_is_meant_also_behind_an_equals_sign(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path, json.dumps({"access-id": "AKID"}))
    with pytest.raises(SettingsError, match=f"{tmp_path}/credentials.json must hold"):
        command.main(["--workerGroup=g", "--config=~/credentials.json"], standalone_mode=False)

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.errors import ParameterError
from docs.generate import generated
from steps_impl import catalogue
from steps_impl.help import step_help
from steps_impl.registry import MODULES, load_step

HEAVY = (
    "pydantic",
    "boto3",
    "botocore",
    "psycopg2",
    "pymysql",
    "mysql",
    "_mysql_connector",
    "cassandra",
    "isal",
    "yaml",
    "tenacity",
)


def test_the_catalogue_and_the_reference_page_are_fresh():
    stale = [str(path) for path, text in generated().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run make docs"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_step_is_known_by_its_own_name(name):
    assert load_step(name).name == name


@pytest.mark.parametrize("name", sorted(MODULES))
def test_help_names_every_parameter_with_its_text(name):
    text = " ".join(step_help(catalogue.entry(name)).split())
    for flag in catalogue.entry(name).flags:
        assert flag.name.replace("_", "-") in text.replace("_", "-")
        assert " ".join(flag.help.split()[:2]) in text


def test_an_unknown_step_names_the_nearest():
    with pytest.raises(ParameterError, match="did you mean extract-rds"):
        catalogue.entry("extract-rsd")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["steps"], ["step", "--help"], *(["step", name, "--help"] for name in sorted(MODULES))]
)
def test_help_imports_no_model_no_driver_and_no_cloud_library(arguments):
    program = (
        "import json, sys\n"
        "from ductrunner.cli import cli\n"
        f"try: cli({arguments!r})\n"
        "except SystemExit as end: status = end.code\n"
        "print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stderr)
    assert status in (0, None)
    assert not [name for name in modules if name.split(".")[0] in HEAVY]
    assert done.stdout

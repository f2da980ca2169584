"""Steps of the user's own, by the real command: from the configuration, and from an installed package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "custom_step"
COMMAND = str(Path(sys.executable).with_name("ductrunner"))


def run(directory: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "DUCTRUNNER_CONFIG": str(directory / "ductrunner.yaml"), **environment}
    return subprocess.run([COMMAND, *words], cwd=directory, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example, as a reader would have it."""
    directory = tmp_path / "example"
    shutil.copytree(EXAMPLE, directory)
    for path in (directory, *directory.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return directory


def test_the_example_runs_as_its_readme_says(example: Path) -> None:
    assert "count-lines" in run(example, "steps").stdout
    text = run(example, "step", "count-lines", "--help").stdout
    assert "--at-least integer" in text
    assert "Count the lines of a file." in text
    done = run(example, "step", "count-lines", "--path", "README.md", "--at-least", "10")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["step"], told["status"]) == ("count-lines", "finished")
    assert told["rows"] == len((EXAMPLE / "README.md").read_text(encoding="utf-8").splitlines())


def test_a_custom_step_fails_as_any_step_does(example: Path) -> None:
    few = run(example, "step", "count-lines", "--path", "README.md", "--at-least", "1000")
    assert few.returncode == 3
    assert "ductrunner: CheckFailed: README.md has" in few.stderr
    wrong = run(example, "step", "count-lines", "--path", "README.md", "--at-least", "-1", "--pth", "x")
    assert wrong.returncode == 2
    assert "--pth: unknown flag, did you mean --path?" in wrong.stderr
    assert "--at-least: Input should be greater than or equal to 0" in wrong.stderr


def test_a_custom_step_takes_its_parameters_from_a_file_and_leaves_its_result(example: Path, tmp_path: Path) -> None:
    (example / "params.json").write_text('{"path": "README.md"}', encoding="utf-8")
    result = tmp_path / "result.json"
    done = run(example, "step", "count-lines", "--params", "params.json", DUCTRUNNER_RESULT=str(result))
    assert done.returncode == 0, done.stderr
    assert json.loads(result.read_text(encoding="utf-8"))["status"] == "finished"


def test_an_installed_package_brings_its_steps_without_configuration(example: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    words = ["-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, *words, str(example)], check=True, capture_output=True)
    (example / "ductrunner.yaml").write_text("{}", encoding="utf-8")
    assert "count-lines-package" in run(example, "steps", PYTHONPATH=str(site)).stdout
    done = run(example, "step", "count-lines-package", "--path", "README.md", PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr


ENTRY = "custom_steps: [{{class_name: {name}, file_path: {file}, step_type: {type}}}]\n"


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        (ENTRY.format(name="CountLines", file="count_lines.py", type="upsert"), "'upsert' is a step of Ductrunner"),
        (ENTRY.format(name="Nobody", file="count_lines.py", type="mine"), "has no class 'Nobody' for the step 'mine'"),
        (ENTRY.format(name="CountLines", file="nowhere.py", type="mine"), "nowhere.py: No such file"),
        (ENTRY.format(name="Path", file="count_lines.py", type="mine"), "must be a Step, or a class with a run method"),
        (ENTRY.format(name="CountLines", file="count_lines.py", type="Not Good"), "custom_steps.0.step_type"),
    ],
)
def test_what_is_no_step_is_refused_by_name(example: Path, configuration: str, told: str) -> None:
    (example / "ductrunner.yaml").write_text(configuration, encoding="utf-8")
    refused = run(example, "step", "mine", "--path", "README.md")
    assert refused.returncode in (1, 2)
    assert told in refused.stderr


def test_a_broken_custom_step_is_listed_with_its_fault_and_hides_no_other(example: Path) -> None:
    entry = "  - {class_name: X, file_path: broken.py, step_type: broken}\n"
    with (example / "ductrunner.yaml").open("a", encoding="utf-8") as file:
        file.write(entry)
    (example / "broken.py").write_text("import nothing_of_this_name\n", encoding="utf-8")
    (example / "broken.py").chmod(0o644)
    listed = run(example, "steps").stdout
    assert "count-lines" in listed
    assert "cannot be used" in listed


def test_a_step_that_others_could_have_written_is_not_run(example: Path) -> None:
    (example / "count_lines.py").chmod(0o666)
    refused = run(example, "step", "count-lines", "--path", "README.md")
    assert refused.returncode == 2
    assert "may be changed by other users" in refused.stderr


def test_an_unknown_step_is_told_with_the_nearest_of_all(example: Path) -> None:
    refused = run(example, "step", "count-line")
    assert refused.returncode == 2
    assert "there is no step 'count-line', did you mean count-lines?" in refused.stderr


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ("return None", "count-lines returned NoneType in place of a StepResult"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_custom_step_that_ends_without_a_result_fails_as_such(example: Path, instead: str, said: str) -> None:
    code = (example / "count_lines.py").read_text(encoding="utf-8")
    (example / "count_lines.py").write_text(code.replace("return steps.StepResult(rows=lines)", instead))
    done = run(example, "step", "count-lines", "--path", "README.md")
    assert (done.returncode, json.loads(done.stdout)["errorId"]) == (1, "InternalError")
    assert said in done.stderr

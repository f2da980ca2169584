"""The real servers that tests run against: each is started once in a session, on a port of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest

from core.errors import PartMissing
from sandbox.engines.home import STATE_VARIABLE, Engines
from sandbox.parts.cassandra import CassandraPart
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.imds import ImdsPart
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.moto import MotoPart
from sandbox.parts.part import Part
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart

#: No test asserts a time; on a busy machine an example may take any.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

AnyPart = TypeVar("AnyPart", bound=Part)
CHECKOUT = Path(__file__).parent.parent


def skip_or_fail(reason: str) -> None:
    """Skip a test that needs a part which is missing; on CI a missing part is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module", autouse=True)
def environment_left_as_found() -> Iterator[None]:
    """Fail where a module leaves the process's environment changed: other modules would run with it, some days."""
    before = dict(os.environ)
    yield
    changed = {name for name in before.keys() | os.environ.keys() if before.get(name) != os.environ.get(name)}
    assert changed <= {"PYTEST_CURRENT_TEST"}, f"left in the environment: {sorted(changed)}"


def run_part(part: AnyPart) -> Iterator[AnyPart]:
    """Start a part, hand it out, stop it."""
    try:
        part.start()
    except PartMissing as missing:
        skip_or_fail(str(missing))
    try:
        yield part
    finally:
        part.stop()


@pytest.fixture(scope="session")
def parts_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder under which the session's servers keep what they have."""
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def postgres_server(parts_directory: Path) -> Iterator[PostgresPart]:
    """A Postgres server (``.address``, ``.superuser``, ``.ensure_database(database, username)``)."""
    yield from run_part(PostgresPart(parts_directory / "postgres"))


@pytest.fixture(scope="session")
def mysql_server(parts_directory: Path) -> Iterator[MariaDbPart]:
    """A MariaDB server (``.address``, ``.administrator``, ``.ensure_database(database, username)``)."""
    yield from run_part(MariaDbPart(parts_directory / "mariadb"))


@pytest.fixture(scope="session")
def cassandra_server(parts_directory: Path) -> Iterator[CassandraPart]:
    """A Cassandra node (``.address``, ``.execute(statement)``, ``.ensure_keyspace(keyspace, username)``)."""
    yield from run_part(CassandraPart(parts_directory / "cassandra"))


@pytest.fixture(scope="session")
def aws_server(parts_directory: Path) -> Iterator[MotoPart]:
    """S3, DynamoDB, SNS, CloudWatch Logs, Secrets Manager, SSM and STS on one port (``.endpoint`` is the URL)."""
    yield from run_part(MotoPart(parts_directory / "aws"))


@pytest.fixture(scope="session")
def datapipeline_service(parts_directory: Path, aws_server: MotoPart) -> Iterator[DataPipelinePart]:
    """A Data Pipeline service with the system's clock and quick retries (``.endpoint`` is the URL)."""
    part = DataPipelinePart(parts_directory / "datapipeline", ["--retry-delay-minimum=0"], aws_server)
    yield from run_part(part)


@pytest.fixture(scope="session")
def instance_metadata(parts_directory: Path) -> Iterator[ImdsPart]:
    """The metadata service of one EC2 instance (``.endpoint`` is the URL)."""
    yield from run_part(ImdsPart(parts_directory / "imds"))


@pytest.fixture(scope="session")
def redshift_front(
    parts_directory: Path, postgres_server: PostgresPart, aws_server: MotoPart
) -> Iterator[RedshiftPart]:
    """A Redshift front before ``postgres_server``; COPY reads the S3 of ``aws_server``."""
    yield from run_part(RedshiftPart(parts_directory / "redshift", postgres_server, aws_server))


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put ``hadoop``, ``hdfs``, ``hadoop-streaming``, ``pig`` and ``hive`` first on PATH; return their folder.

    Hive's metastore and tables are the test's own.
    """
    try:
        commands = Engines.of_machine().commands()
    except PartMissing as missing:
        skip_or_fail(str(missing))
        raise
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "engines-state"))
    return commands


@pytest.fixture
def redshift_database(redshift_front: RedshiftPart, postgres_database: DatabaseAddress) -> DatabaseAddress:
    """A new, empty warehouse behind the Redshift front, with a user who owns it."""
    return replace(postgres_database, port=redshift_front.port)


@pytest.fixture
def postgres_database(postgres_server: PostgresPart) -> DatabaseAddress:
    """A new, empty Postgres database with a user who owns it."""
    name = f"test_{secrets.token_hex(6)}"
    return postgres_server.ensure_database(name, name)


@pytest.fixture
def mysql_database(mysql_server: MariaDbPart) -> DatabaseAddress:
    """A new, empty MySQL database with a user who may do everything in it."""
    name = f"test_{secrets.token_hex(6)}"
    return mysql_server.ensure_database(name, name)


@pytest.fixture
def aws_environment(aws_server: MotoPart, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point boto3, the ``aws`` CLI and child processes at the session's AWS services; return the endpoint's URL."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for name, value in {**aws_server.client_environment(), **nothing}.items():
        monkeypatch.setenv(name, value)
    return aws_server.endpoint


@pytest.fixture
def datapipeline_environment(
    datapipeline_service: DataPipelinePart, aws_environment: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Point Data Pipeline's clients at the session's service, the others as in ``aws_environment``; return its URL."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DATA_PIPELINE", datapipeline_service.endpoint)
    return datapipeline_service.endpoint


@pytest.fixture
def s3_client(aws_environment: str) -> Iterator[Any]:
    """A boto3 client of the session's S3."""
    import boto3

    client = boto3.client("s3")
    yield client
    client.close()


@pytest.fixture
def s3_bucket(s3_client: Any) -> str:
    """The name of a new, empty bucket."""
    name = f"test-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=name)
    return name


def _may_mount() -> bool:
    """Whether this process has the right to mount (capabilities(7): CAP_SYS_ADMIN), which a container may withhold."""
    [effective] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")]
    return bool(int(effective.split()[1], 16) >> 21 & 1)


@contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    """A small real disk at ``place`` (tmpfs(5): ``"size=256k,nr_inodes=20"``), gone with all it holds afterwards."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        reason = f"a small disk cannot be mounted here: {done.stderr.decode().strip()}"
        skip_or_fail(reason) if _may_mount() else pytest.skip(reason)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def mount_disk() -> Iterator[Callable[[Path, str], Path]]:
    """A maker of small disks that last as long as the test: ``mount_disk(place, "size=256k")``."""
    with ExitStack() as disks:
        yield lambda place, options: disks.enter_context(small_disk(place, options))


@dataclass(frozen=True)
class RunningSandbox:
    """A whole sandbox, started by the real command."""

    state_dir: Path
    environment: dict[str, str]

    def ductrunner(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``ductrunner …`` as a user of the sandbox would."""
        return run_ductrunner(*words, environment=self.environment)


def run_ductrunner(
    *words: str, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run ``ductrunner …`` in a process of its own, in this checkout."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))}
    command = [sys.executable, "-m", "ductrunner", *words]
    return subprocess.run(
        command,
        env={**own, **(environment or {})},
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
        **options,
    )


@pytest.fixture(scope="session")
def ductrunner() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command: ``ductrunner("sandbox", "up", environment={…})`` runs it in a process of its own."""
    return run_ductrunner


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds the packages."""
    return CHECKOUT


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The whole sandbox, through ``ductrunner sandbox up``, ``env`` and ``down``."""
    state_dir = tmp_path_factory.mktemp("sandbox") / "state"
    place = ("--state-dir", str(state_dir))
    started = run_ductrunner("sandbox", "up", *place, "--retry-delay-minimum", "0")
    try:
        assert started.returncode == 0, started.stderr
        variables = json.loads(run_ductrunner("sandbox", "env", *place, "--json").stdout)
        yield RunningSandbox(state_dir, variables)
    finally:
        stopped = run_ductrunner("sandbox", "down", *place, "--purge")
    assert stopped.returncode == 0, stopped.stderr

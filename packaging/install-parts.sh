#!/bin/sh
# Installs what the sandbox and the tests need from the system, where that may be done: on Debian and its kin, as root
# or with a password-less sudo. The MariaDB server is what the sandbox starts as its MySQL; libfaketime moves the clock
# of a process in the fault tests; Java runs Hadoop, Pig, Hive and Cassandra, whose jars Maven fetches; psql is a
# client of the warehouse. Nothing is started.
# Elsewhere it says what is missing and goes on.
set -eu
missing=""
if ! command -v mariadbd >/dev/null 2>&1 && [ ! -x /usr/sbin/mariadbd ]; then
    missing="mariadb-server-core mariadb-client-core"
fi
if ! ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; then
    missing="$missing libfaketime"
fi
if ! command -v java >/dev/null 2>&1 && [ -z "${JAVA_HOME:-}" ]; then
    missing="$missing openjdk-17-jre-headless"
fi
if ! command -v mvn >/dev/null 2>&1; then
    missing="$missing maven"
fi
if ! command -v psql >/dev/null 2>&1; then
    missing="$missing postgresql-client"
fi
if [ -z "$missing" ]; then
    exit 0
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    sudo="sudo -n"
    $sudo true 2>/dev/null || sudo=none
fi
if [ "$sudo" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "ductrunner: not here, and no right to install it:$missing" | sed 's/: */: /' >&2
    echo "            without mariadb-server-core the demo takes a Postgres source; without libfaketime the tests" >&2
    echo "            of a clock that jumps are skipped; without Java and Maven there is no Hadoop, Pig, Hive, Cassandra." >&2
    exit 0
fi
echo "ductrunner: installing $missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq || true
# shellcheck disable=SC2086 # one word for each package
if ! $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
    echo "ductrunner: could not be installed: $missing; the demo takes a Postgres source without MariaDB." >&2
fi

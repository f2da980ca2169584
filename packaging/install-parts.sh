#!/bin/sh
# Installs the MariaDB server that the sandbox starts as its MySQL, where that may be done: on Debian and its
# kin, as root or with a password-less sudo. Nothing is started. Elsewhere it says what is missing and goes on.
set -eu
if command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ]; then
    exit 0
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    sudo="sudo -n"
    $sudo true 2>/dev/null || sudo=none
fi
if [ "$sudo" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "ductrunner: no MariaDB server here and no right to install one; install the package mariadb-server-core" >&2
    echo "            for a real MySQL source. Until then the demo takes a Postgres source." >&2
    exit 0
fi
echo "ductrunner: installing mariadb-server-core and mariadb-client-core"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq || true
if ! $sudo apt-get install -y -qq --no-install-recommends mariadb-server-core mariadb-client-core >/dev/null; then
    echo "ductrunner: mariadb-server-core could not be installed; the demo takes a Postgres source." >&2
fi

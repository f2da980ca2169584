"""JDBC properties and the options of psycopg2 and PyMySQL that mean the same.

Properties that only tune the Java driver (fetch sizes, caches, encodings: ours is always UTF-8) mean nothing here. One
that is not known at all is named on stderr: it might have been meant to protect something.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from core.errors import ParameterError
from steps_impl.activities.servers.server import TITLES, Engine
from stores.mysql.tls import Mode, Tls

_TRUE = frozenset({"true", "1", "yes", "on", ""})
_MILLISECONDS = 1000
#: Properties that change nothing here; all names in small letters.
_TUNING = frozenset({
    "allowloadlocalinfile", "allowmultiqueries", "allowpublickeyretrieval", "applicationname", "autoreconnect",
    "autoreconnectforpools", "binarytransfer", "blockingrowsmode", "cacheprepstmts", "characterencoding",
    "characterresultsets", "connectioncollation", "defaultfetchsize", "defaultrowfetchsize",
    "donttrackopenresources", "dsiloglevel", "elidesetautocommits", "failoverreadonly", "jdbccomplianttruncation",
    "loggerlevel", "loglevel", "maintaintimestats", "opensourcesubprotocoloverride", "preparethreshold",
    "prepstmtcachesize", "prepstmtcachesqllimit", "readonly", "rewritebatchedinserts", "rewritebatchedstatements",
    "servertimezone", "stringtype", "tcpkeepalive", "tcpnodelay", "tinyint1isbit", "usecompression",
    "usecursorfetch", "usefetchsizewithlongcolumn", "usejdbccomplianttimezoneshift", "uselegacydatetimecode",
    "uselocalsessionstate", "useserverprepstmts", "usessps", "useunicode", "yearisdatetype", "zerodatetimebehavior",
})  # fmt: skip
_LOGIN = frozenset({"user", "password", "uid", "pwd"})
#: What ``_postgres`` and ``_mysql`` read.
_POSTGRES = frozenset({
    "connecttimeout", "currentschema", "logintimeout", "options", "ssl", "sslcert", "sslfactory", "sslkey", "sslmode",
    "sslrootcert",
})  # fmt: skip
_MYSQL = frozenset({
    "connecttimeout", "requiressl", "serversslcert", "sessionvariables", "sockettimeout", "sslmode", "usessl",
    "verifyservercertificate",
})  # fmt: skip
_SSL_MODES: dict[str, Mode] = {
    "disabled": "disable",
    "preferred": "prefer",
    "required": "require",
    "verify_ca": "verify-ca",
    "verify_identity": "verify-full",
}


def pairs(where: str, lines: Iterable[str]) -> dict[str, str]:
    """Return the properties of a definition, one ``name=value`` a line.

    Raises:
        ParameterError: a line has no ``=``; the message names the place among them, not the line: it may be a secret.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"{where}: jdbcProperties number {number} is not of the form name=value")
        found[name.strip()] = value.strip()
    return found


def driver_options(engine: Engine, properties: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the options of the Python driver; what is unknown is told on stderr and left out.

    Raises:
        ParameterError: a value that means something here cannot be read.
    """
    small = without_login(properties)
    options = _mysql(small, where) if engine == "mysql" else _postgres(small, where)
    read = _MYSQL if engine == "mysql" else _POSTGRES
    unknown = sorted(name for name in properties if name.lower() not in _TUNING | _LOGIN | read)
    if unknown:
        sys.stderr.write(
            f"ductrunner: {where}: JDBC properties without a meaning for {TITLES[engine]} here: {', '.join(unknown)}\n"
        )
    return options


def without_login(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties by name in small letters, without user and password."""
    return {name.lower(): value for name, value in properties.items() if name.lower() not in _LOGIN}


def _postgres(properties: Mapping[str, str], where: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        key: properties[key] for key in ("sslrootcert", "sslcert", "sslkey", "options") if properties.get(key)
    }
    if mode := properties.get("sslmode"):
        options["sslmode"] = _SSL_MODES.get(mode.lower(), mode.lower())
    elif properties.get("ssl", "false").lower() in _TRUE:
        blind = "nonvalidating" in properties.get("sslfactory", "").lower() or "sslrootcert" not in options
        options["sslmode"] = "require" if blind else "verify-full"
    if seconds := properties.get("logintimeout") or properties.get("connecttimeout"):
        options["connect_timeout"] = max(_number(where, "loginTimeout", seconds), 1)
    if schema := properties.get("currentschema"):
        path = schema.replace("\\", "\\\\").replace(" ", "\\ ")
        options["options"] = f"{options.get('options', '')} -c search_path={path}".strip()
    return options


def _mysql(properties: Mapping[str, str], where: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if text := properties.get("connecttimeout"):
        options["connect_timeout"] = max(_number(where, "connectTimeout", text) // _MILLISECONDS, 1)
    if text := properties.get("sockettimeout"):
        options["read_timeout"] = max(_number(where, "socketTimeout", text) // _MILLISECONDS, 1)
    if text := properties.get("sessionvariables"):
        options["init_command"] = f"SET {unquote(text)}"
    return options


def mysql_tls(properties: Mapping[str, str]) -> Tls:
    """Return what the properties of Connector/J (names in small letters) demand of the encryption."""
    mode = _SSL_MODES.get(properties.get("sslmode", "").lower().replace("-", "_"))
    if mode is None and properties.get("usessl", "").lower() == "false":
        mode = "disable"
    if mode is None and any(properties.get(key, "false").lower() in _TRUE for key in ("usessl", "requiressl")):
        verified = properties.get("verifyservercertificate", "false").lower() == "true"
        mode = "verify-full" if verified else "require"
    return Tls(mode or "prefer", properties.get("serversslcert") or None)


def _number(where: str, name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ParameterError(f"{where}: the JDBC property {name} is {text!r}; write a whole number") from None

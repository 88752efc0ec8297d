"""Environments of child processes, and what must never be shown of them.

Takes mappings and texts, gives mappings and texts. Pure: reads no environment itself, starts
nothing.
"""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: What programs need everywhere: the system and the user, the way to the network, the homes and
#: network settings of Rust, Python and git tools, then what macOS and Windows need. Names are
#: compared in upper case, because Windows spells them as it likes and proxies are written in lower
#: case on POSIX.
_ALLOWED_TEXT: Final = """
PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TERM TMPDIR TEMP TMP XDG_*_HOME XDG_RUNTIME_DIR
SOURCE_DATE_EPOCH CI NO_COLOR LD_LIBRARY_PATH
HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY FTP_PROXY SSL_CERT_FILE SSL_CERT_DIR
REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS
CARGO_HOME CARGO_HTTP_* CARGO_NET_* CARGO_REGISTRIES_*_INDEX CARGO_REGISTRIES_*_PROTOCOL
CARGO_SOURCE_* RUSTUP_HOME RUSTUP_DIST_SERVER RUSTUP_UPDATE_ROOT PIP_* UV_*
GIT_SSL_CAINFO GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
DEVELOPER_DIR SDKROOT MACOSX_DEPLOYMENT_TARGET __CF_USER_TEXT_ENCODING
SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT USERPROFILE USERNAME HOMEDRIVE HOMEPATH APPDATA
LOCALAPPDATA PROGRAMDATA ALLUSERSPROFILE PUBLIC PROGRAMFILES PROGRAMFILES(*) PROGRAMW6432
COMMONPROGRAMFILES COMMONPROGRAMFILES(*) COMMONPROGRAMW6432
NUMBER_OF_PROCESSORS PROCESSOR_* OS VCINSTALLDIR VSINSTALLDIR
"""
#: Would change what is built or which Python is meant, though the patterns above let them through.
_NEVER_TEXT: Final = """
PYO3_* VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME SSH_AUTH_SOCK PIP_TARGET PIP_PREFIX PIP_USER
UV_PYTHON UV_PROJECT_ENVIRONMENT UV_SYSTEM_PYTHON
"""
_ALLOWED: Final = tuple(_ALLOWED_TEXT.split())
_NEVER: Final = tuple(_NEVER_TEXT.split())

_SECRET_NAME: Final = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|APIKEY|(?:^|_)(?:KEY|KEYS|PASS|PAT|AUTH|COOKIE)(?:_|$)"
)
_URL_PASSWORD: Final = re.compile(r"://[^/@\s:]*:([^/@\s]+)@|https?://([^/@\s:]+)@")
_MIN_SECRET_LENGTH: Final = 6
MASK: Final = "***"


def child_environment(
    caller: Mapping[str, str],
    *,
    set_: Mapping[str, str],
    unset: Sequence[str] = (),
    pass_: Sequence[str] = (),
) -> dict[str, str]:
    """The environment of a child: allow-listed variables of the caller plus ``set_``.

    The allow-list holds what programs need everywhere (PATH, HOME, LANG, proxies, CA bundles, the
    homes and network settings of cargo, rustup, pip and uv, Windows' system variables), never
    ``PYO3_*``, ``VIRTUAL_ENV``, ``CONDA_PREFIX``, ``PYTHONPATH``, ``PYTHONHOME``, ``SSH_AUTH_SOCK``
    or a name that looks like a secret.

    Args:
        caller: the variables of the calling process.
        set_: variables that are set whatever the caller has.
        unset: names that are left out although the allow-list has them.
        pass_: names or patterns with ``*`` of further variables of the caller that are passed on;
            someone asked for them by name, so that even one that looks like a secret is.
    """
    result = {
        name: value for name, value in caller.items() if _is_allowed(name) or _matches(name, pass_)
    }
    for name in unset:
        result.pop(name, None)
    return {**result, **set_}


def passed_variables(caller: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    """Those of the caller's variables that names or patterns with ``*`` ask for, and no others."""
    return {name: value for name, value in caller.items() if _matches(name, patterns)}


def looks_secret(name: str) -> bool:
    """Whether a variable of this name is likely to hold a secret: ``PYPI_TOKEN``."""
    return _SECRET_NAME.search(name.upper()) is not None


def secret_values(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Values that must not be written anywhere, longest first.

    These are the values of variables whose names look secret and the passwords in URLs (package
    indexes, proxies). The lines of a value with several (a private key) count one by one, because
    output is masked line by line. Values of fewer than 6 characters (``true``, ``1``) are left out:
    masking them would make every log unreadable.
    """
    found: set[str] = set()
    for name, value in environment.items():
        if looks_secret(name):
            found.update(line.strip() for line in value.splitlines())
        for match in _URL_PASSWORD.finditer(value):
            found.add(match[1] or match[2])
    return tuple(
        sorted((v for v in found if len(v) >= _MIN_SECRET_LENGTH), key=lambda v: (-len(v), v))
    )


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret replaced by ``***``; give longer secrets first."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    return text


def quote_command(argv: Sequence[str]) -> str:
    """The command as one line that can be copied into a shell of this system."""
    return subprocess.list2cmdline(argv) if sys.platform == "win32" else shlex.join(argv)


def describe_changes(
    caller: Mapping[str, str], child: Mapping[str, str], secrets: Sequence[str]
) -> tuple[str, ...]:
    """``NAME=value`` for each variable that is not as the caller has it, sorted, secrets masked."""
    changed = sorted(name for name, value in child.items() if caller.get(name) != value)
    return tuple(
        f"{name}={MASK if looks_secret(name) else mask_secrets(child[name], secrets)}"
        for name in changed
    )


def _is_allowed(name: str) -> bool:
    return _matches(name, _ALLOWED) and not _matches(name, _NEVER) and not looks_secret(name)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.upper(), pattern.upper()) for pattern in patterns)

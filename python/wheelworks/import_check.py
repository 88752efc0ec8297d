"""Imports a package from the environment it was installed into, and puts the pytest guard there.

Standalone: copied beside a test job and run by the interpreter under test as
``python -I import_check.py [--plugin FILE] NAME...``; standard library only, Python 3.8 syntax.
Ends with 0 when every name was imported from the environment, else with 1 and a line per fault on
stderr.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import sysconfig


def find_fault(name: str, prefix: str) -> str | None:
    """Import a module; what is wrong with it, or None when it came from below the prefix."""
    try:
        module = importlib.import_module(name)
    except BaseException as error:  # A native module can raise anything, pyo3's PanicException too.
        return f"{name} can't be imported: {type(error).__name__}: {error}"
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", []))
    for place in places:
        if not is_within(place, prefix):
            return f"{name} was imported from {place}, not from {prefix}"
    sys.stdout.write("{} is {}\n".format(name, ", ".join(places)))
    return None


def is_within(path: str, folder: str) -> bool:
    """Whether the path lies below the folder, links resolved."""
    child = os.path.normcase(os.path.realpath(path))
    parent = os.path.normcase(os.path.realpath(folder))
    return child.startswith(parent.rstrip(os.sep) + os.sep)


def main(arguments: list[str]) -> int:
    """Copy the plugin when one is named, import the names; the exit status."""
    names = list(arguments)
    if names[:1] == ["--plugin"]:
        shutil.copy(names[1], sysconfig.get_path("purelib"))
        names = names[2:]
    faults = [fault for fault in (find_fault(name, sys.prefix) for name in names) if fault]
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

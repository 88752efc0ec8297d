"""Threads that leave signals alone.

Touches the signal mask of the calling thread, nothing else.
"""

from __future__ import annotations

import signal
import sys


def leave_signals_to_main_thread() -> None:
    """Block every signal in the calling thread, so that the system picks another for it.

    Python runs handlers in the main thread only. A signal that the system hands to another thread
    does not wake a main thread that waits in a system call: Ctrl-C would go unheard until that ends.

    Only for threads that start no process: a child inherits the mask and could not be asked to stop.
    """
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

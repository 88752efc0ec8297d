"""The door to processes, tried with real ones."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terminal_session import TerminalSession

from wheelworks.process import Cancellation, ProcessRunner, quote_command

if TYPE_CHECKING:
    from wheelworks.process import CommandResult

pytestmark = [
    pytest.mark.starts_processes,
    pytest.mark.skipif(sys.platform == "win32", reason="the programs are POSIX shells"),
]

ENV = {"PATH": os.defpath, "LANG": "C.UTF-8"}


class Recorder:
    """Remembers the groups it is told of."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def group_started(self, pid: int) -> None:
        """Note the start."""
        self.calls.append(("started", pid))

    def group_ended(self, pid: int) -> None:
        """Note the end."""
        self.calls.append(("ended", pid))


def shell(
    script: str,
    folder: Path,
    *,
    runner: ProcessRunner | None = None,
    env: dict[str, str] | None = None,
    timeout_seconds: float = 60.0,
    cancellation: Cancellation | None = None,
    log: Path | None = None,
    lines: list[str] | None = None,
    capture_stdout: bool = False,
) -> CommandResult:
    """Run a shell script through a runner that loses no time."""
    return (runner or ProcessRunner(caller=ENV, stop_grace_seconds=0.2, drain_seconds=0.3)).run(
        ["sh", "-c", script],
        env=ENV if env is None else env,
        cwd=folder,
        timeout_seconds=timeout_seconds,
        on_line=None if lines is None else lines.append,
        log=log,
        cancellation=cancellation,
        capture_stdout=capture_stdout,
    )


def is_gone(pid: int) -> bool:
    """Whether a process ends within a generous time; a zombie that nobody reaps counts as ended."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def wait_for(path: Path) -> str:
    """The text of a file that a process writes."""
    for _ in range(1000):
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return text.strip()
        time.sleep(0.01)
    raise AssertionError(f"{path} was never written")


def test_success_gives_code_and_both_streams(tmp_path: Path) -> None:
    """Lines of both streams reach the callback, the tail and the log in their order."""
    lines: list[str] = []
    log = tmp_path / "job.log"
    result = shell("echo one; echo two >&2; echo three", tmp_path, lines=lines, log=log)
    assert result.ok
    assert result.returncode == 0
    assert lines == ["one", "two", "three"]
    assert result.tail == ("one", "two", "three")
    assert "one\ntwo\nthree\n" in log.read_text()


def test_failure_is_a_value(tmp_path: Path) -> None:
    """A failing command gives its code and raises nothing."""
    result = shell("exit 7", tmp_path)
    assert result.returncode == 7
    assert not result.ok
    assert not result.timed_out
    assert not result.cancelled


def test_killed_by_a_signal_is_a_failure(tmp_path: Path) -> None:
    """A process that a signal ended on its own has a negative code, as subprocess says it."""
    assert shell("kill -9 $$", tmp_path).returncode == -signal.SIGKILL


def test_missing_program_is_a_start_error(tmp_path: Path) -> None:
    """A program that is not on the child's PATH is named, and nothing is raised."""
    result = ProcessRunner(caller=ENV).run(
        ["no-such-program"], env=ENV, cwd=tmp_path, timeout_seconds=5, log=tmp_path / "log"
    )
    assert result.returncode is None
    assert result.start_error == "program 'no-such-program' not found on PATH"
    assert (
        "# not started: program 'no-such-program' not found on PATH"
        in (tmp_path / "log").read_text()
    )


def test_program_is_looked_up_in_the_childs_path(tmp_path: Path) -> None:
    """The PATH of ``env`` counts, not the caller's."""
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    env = {"PATH": str(tool.parent)}
    result = ProcessRunner(caller={}).run(["tool"], env=env, cwd=tmp_path, timeout_seconds=60)
    assert result.tail == ("found",)


def test_program_with_a_folder_is_relative_to_the_working_folder(tmp_path: Path) -> None:
    """``./tool`` means the one in ``cwd``."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho here\n")
    tool.chmod(0o755)
    result = ProcessRunner(caller={}).run(["./tool"], env=ENV, cwd=tmp_path, timeout_seconds=60)
    assert result.tail == ("here",)


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("#!/no/such/interpreter\n", 0o755, "interpreter"),
        ("#!/bin/sh\n", 0o644, "Permission denied"),
    ],
)
def test_script_that_cannot_start_says_why(
    tmp_path: Path, content: str, mode: int, message: str
) -> None:
    """A lost interpreter (its environment's Python is gone) is told from a missing mode bit."""
    tool = tmp_path / "tool"
    tool.write_text(content)
    tool.chmod(mode)
    result = ProcessRunner(caller={}).run([str(tool)], env=ENV, cwd=tmp_path, timeout_seconds=60)
    assert result.start_error is not None
    assert message in result.start_error


def test_missing_working_folder_is_a_start_error(tmp_path: Path) -> None:
    """A folder that is not there is named, not the program."""
    result = shell("true", tmp_path / "gone")
    assert result.start_error == f"the working folder {tmp_path / 'gone'} is missing"


def test_argument_with_a_null_byte_is_a_start_error(tmp_path: Path) -> None:
    """What the system can't take as an argument is no exception either."""
    assert shell("true\0", tmp_path).start_error == "embedded null byte"


def test_stdin_is_closed(tmp_path: Path) -> None:
    """A program that asks a question gets an end of file instead of waiting for ever."""
    assert shell("cat; echo over", tmp_path).tail == ("over",)


def test_child_sees_only_its_environment(tmp_path: Path) -> None:
    """Nothing of the test process leaks into the child."""
    result = shell("env", tmp_path, env={"PATH": os.defpath, "ONLY": "this"}, capture_stdout=True)
    names = {line.partition("=")[0] for line in result.stdout.splitlines()}
    assert names <= {"PATH", "ONLY", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "ONLY=this" in result.stdout


def test_timeout_stops_the_group(tmp_path: Path) -> None:
    """At the timeout the process and its children are stopped, and there is no exit code."""
    result = shell(f"sleep 600 & echo $! > {tmp_path}/pid; wait", tmp_path, timeout_seconds=2.0)
    assert result.timed_out
    assert not result.cancelled
    assert result.returncode is None
    assert is_gone(int(wait_for(tmp_path / "pid")))


def test_polite_request_lets_the_program_clean_up(tmp_path: Path) -> None:
    """SIGTERM comes first and is waited for."""
    cancellation = Cancellation()

    def ask(line: str) -> None:
        if line == "ready":
            cancellation.request()

    result = ProcessRunner(caller=ENV, stop_grace_seconds=3600.0).run(
        ["sh", "-c", "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done"],
        env=ENV,
        cwd=tmp_path,
        timeout_seconds=60,
        on_line=ask,
        cancellation=cancellation,
    )
    assert result.cancelled
    assert result.returncode is None
    assert result.tail[-1] == "cleaned"


def test_who_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """After the grace the group is killed, also where SIGTERM is ignored."""
    result = shell("trap '' TERM; while :; do sleep 0.05; done", tmp_path, timeout_seconds=0.3)
    assert result.timed_out


@pytest.mark.parametrize("force", [False, True])
def test_cancellation_stops_a_running_process(tmp_path: Path, *, force: bool) -> None:
    """A request from another thread ends the wait; a forced one needs no grace."""
    cancellation = Cancellation()
    grace = 3600.0 if force else 0.2
    runner = ProcessRunner(caller=ENV, stop_grace_seconds=grace, drain_seconds=0.3)

    def ask(line: str) -> None:
        assert line == "ready"
        cancellation.request(force=force)

    result = runner.run(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
        env=ENV,
        cwd=tmp_path,
        timeout_seconds=60,
        on_line=ask,
        cancellation=cancellation,
    )
    assert result.cancelled
    assert not result.timed_out
    assert result.returncode is None


def test_second_request_cuts_the_grace_short(tmp_path: Path) -> None:
    """The first request asks politely; a forced one that follows kills at once."""
    cancellation = Cancellation()
    runner = ProcessRunner(caller=ENV, stop_grace_seconds=3600.0, drain_seconds=0.3)

    def ask(line: str) -> None:
        cancellation.request(force=line == "asked")

    result = runner.run(
        ["sh", "-c", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done"],
        env=ENV,
        cwd=tmp_path,
        timeout_seconds=60,
        on_line=ask,
        cancellation=cancellation,
    )
    assert result.cancelled
    assert "asked" in result.tail


def test_nothing_starts_after_a_request(tmp_path: Path) -> None:
    """A cancelled run starts no further step."""
    cancellation = Cancellation()
    cancellation.request()
    recorder = Recorder()
    result = shell(
        f"touch {tmp_path}/ran",
        tmp_path,
        runner=ProcessRunner(caller=ENV, recorder=recorder),
        cancellation=cancellation,
    )
    assert result.cancelled
    assert result.returncode is None
    assert recorder.calls == []
    assert not (tmp_path / "ran").exists()


def test_grandchild_that_holds_the_pipe_does_not_hang_the_runner(tmp_path: Path) -> None:
    """The main process ended well: a success; whoever it left behind is stopped."""
    result = shell(f"sleep 600 & echo $! > {tmp_path}/pid; echo done", tmp_path)
    assert result.ok
    assert result.tail == ("done",)
    assert is_gone(int(wait_for(tmp_path / "pid")))


def test_silent_grandchild_is_stopped_too(tmp_path: Path) -> None:
    """Also a leftover that does not hold the pipe must not go on in a job's folders."""
    result = shell(f"sleep 600 >/dev/null 2>&1 & echo $! > {tmp_path}/pid", tmp_path)
    assert result.ok
    assert is_gone(int(wait_for(tmp_path / "pid")))


def test_grandchild_in_a_session_of_its_own_escapes_but_blocks_nothing(tmp_path: Path) -> None:
    """A daemon that holds the pipe is left alone; the runner comes back all the same."""
    script = (
        "import os, subprocess, sys\n"
        "p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print(p.pid, flush=True)\n"
    )
    runner = ProcessRunner(caller=ENV, drain_seconds=0.2)
    result = runner.run([sys.executable, "-c", script], env=ENV, cwd=tmp_path, timeout_seconds=60)
    daemon = int(result.tail[0])
    assert result.ok
    os.kill(daemon, signal.SIGKILL)


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    """Output in another encoding costs its characters, not the run."""
    assert shell(r"printf 'gr\374n\n'", tmp_path).tail == ("gr\ufffdn",)


def test_progress_bars_reach_the_callback_only(tmp_path: Path) -> None:
    """Text that a carriage return overwrites is shown, but neither logged nor kept."""
    lines: list[str] = []
    result = shell(r"printf '1/2\r2/2\rdone\n'", tmp_path, lines=lines, log=tmp_path / "log")
    assert lines == ["1/2", "2/2", "done"]
    assert result.tail == ("done",)
    assert "1/2" not in (tmp_path / "log").read_text().partition("$ ")[2].partition("\n")[2]


def test_captured_stdout_is_data(tmp_path: Path) -> None:
    """It comes back as it is; log and callback see only stderr."""
    lines: list[str] = []
    result = shell(
        "echo data; echo word >&2", tmp_path, lines=lines, log=tmp_path / "log", capture_stdout=True
    )
    assert result.stdout == "data\n"
    assert lines == ["word"]
    assert sorted(result.tail) == ["data", "word"]
    assert "\ndata\n" not in (tmp_path / "log").read_text()


def test_much_captured_output_does_not_block(tmp_path: Path) -> None:
    """Both pipes are emptied at once, whatever their order."""
    result = shell(
        "head -c 300000 /dev/zero | tr '\\0' e >&2; head -c 300000 /dev/zero | tr '\\0' o",
        tmp_path,
        capture_stdout=True,
    )
    assert len(result.stdout) == 300_000


def test_log_begins_with_command_and_changed_variables(tmp_path: Path) -> None:
    """The log says folder, changes, command and end, and a second command is appended."""
    log = tmp_path / "logs" / "job.log"
    env = {**ENV, "EXTRA": "two words"}
    shell("echo 'a  b'", tmp_path, env=env, log=log)
    shell("exit 3", tmp_path, log=log)
    text = log.read_text().splitlines()
    assert text[:2] == [f"# in {tmp_path}", "# with EXTRA=two words"]
    assert text[2:4] == ["$ " + quote_command(["sh", "-c", "echo 'a  b'"]), "a  b"]
    assert text[4].startswith("# exit code 0 after ")
    assert text[5:7] == [f"# in {tmp_path}", "$ sh -c 'exit 3'"]
    assert text[7].startswith("# exit code 3 after ")


def test_secrets_reach_neither_log_nor_tail_nor_callback(tmp_path: Path) -> None:
    """Values of the caller's and the child's secret variables are masked wherever they show up."""
    index = {"PIP_INDEX_URL": "https://joe:hunter22@host/"}
    caller = {**ENV, **index, "PYPI_TOKEN": "pypi-abcdef"}
    env = {**ENV, **index, "DB_PASSWORD": "s3cr3t-db", "SHOW": "x pypi-abcdef"}
    lines: list[str] = []
    result = shell(
        "echo pypi-abcdef hunter22 $DB_PASSWORD",
        tmp_path,
        runner=ProcessRunner(caller=caller),
        env=env,
        log=tmp_path / "log",
        lines=lines,
    )
    text = (tmp_path / "log").read_text()
    assert lines == ["*** *** ***"]
    assert result.tail == ("*** *** ***",)
    assert "# with DB_PASSWORD=***" in text
    assert "# with SHOW=x ***" in text
    for secret in ("pypi-abcdef", "hunter22", "s3cr3t-db"):
        assert secret not in text


def test_log_that_cannot_be_opened_does_not_stop_the_command(tmp_path: Path) -> None:
    """The build goes on, and the tail says what is missing."""
    (tmp_path / "file").write_text("")
    result = shell("echo on", tmp_path, log=tmp_path / "file" / "job.log")
    assert result.ok
    assert result.tail[0].startswith(f"wheelworks: the log {tmp_path / 'file' / 'job.log'} can't")
    assert result.tail[1] == "on"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_log_on_a_full_disk_is_given_up(tmp_path: Path) -> None:
    """The process is read to its end although nothing can be logged."""
    result = shell("echo one; echo two", tmp_path, log=Path("/dev/full"))
    assert result.ok
    assert result.tail[-2:] == ("one", "two")
    assert "No space left on device" in result.tail[0]


def test_exception_of_the_callback_comes_out_at_the_end(tmp_path: Path) -> None:
    """A bug in a display neither hangs the process nor is it swallowed."""

    def broken(line: str) -> None:
        raise ValueError(f"can't show {line}")

    runner = ProcessRunner(caller=ENV)
    with pytest.raises(ValueError, match="can't show 1"):
        runner.run(
            ["sh", "-c", f"echo 1; head -c 300000 /dev/zero; echo 2 > {tmp_path}/ran"],
            env=ENV,
            cwd=tmp_path,
            timeout_seconds=60,
            on_line=broken,
        )
    assert wait_for(tmp_path / "ran") == "2"


def test_recorder_hears_of_start_and_end(tmp_path: Path) -> None:
    """A registry can note which groups are alive."""
    recorder = Recorder()
    result = shell("echo $$", tmp_path, runner=ProcessRunner(caller=ENV, recorder=recorder))
    pid = int(result.tail[0])
    assert recorder.calls == [("started", pid), ("ended", pid)]


def test_interrupt_in_the_calling_thread_leaves_nothing_behind(tmp_path: Path) -> None:
    """An exception that passes through the wait (Ctrl-C without our handlers) kills the group."""
    pid_file = tmp_path / "pid"
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(_line: str) -> None:
        signal.pthread_kill(main, signal.SIGINT)

    # A shell starts what runs in its background with SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            ProcessRunner(caller=ENV).run(
                ["sh", "-c", f"echo $$ > {pid_file}; echo ready; exec sleep 600"],
                env=ENV,
                cwd=tmp_path,
                timeout_seconds=60,
                on_line=interrupt,
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert is_gone(int(wait_for(pid_file)))


# Programs that have the terminal

ATTACH = """\
import os, sys
from pathlib import Path
from wheelworks.process import ProcessRunner

ended = ProcessRunner().attach(sys.argv[1:], env=dict(os.environ), cwd=Path.cwd())
print("ended with", ended.returncode, ended.start_error, flush=True)
"""


def attached(*argv: str, folder: Path) -> TerminalSession:
    """A process on a terminal that attaches a program to it."""
    return TerminalSession([sys.executable, "-c", ATTACH, *argv], env=os.environ, cwd=folder)


def test_an_attached_program_reads_the_terminal(tmp_path: Path) -> None:
    """It sees a terminal, gets what is typed, and its exit code is the result's."""
    script = '[ -t 0 ] && [ -t 1 ] && echo "a terminal"; read word; echo "<$word>"; exit 7'
    with attached("sh", "-c", script, folder=tmp_path) as session:
        session.await_text("a terminal")
        session.type("hello\n")
        session.await_text("<hello>")
        session.await_text("ended with 7 None")
        assert session.end() == 0


def test_an_interrupt_is_the_attached_programs(tmp_path: Path) -> None:
    """Ctrl-C reaches the program, which may go on; this process goes on waiting."""
    # Not in `read` at that moment: a signal just before its system call would wait for a line.
    waits = 'until [ "$caught" ]; do sleep 0.05; done'
    script = f'trap "caught=1" INT; echo ready; {waits}; echo caught; read word; echo "<$word>"'
    with attached("bash", "-c", script, folder=tmp_path) as session:
        session.await_text("ready")
        session.type("\x03")
        session.await_text("caught\n")
        session.type("on\n")
        session.await_text("<on>")
        session.await_text("ended with 0")
        assert session.end() == 0


def test_an_attached_program_that_is_missing_is_a_result(tmp_path: Path) -> None:
    """As for every other command."""
    with attached("no-such-program", folder=tmp_path) as session:
        session.await_text("ended with None program 'no-such-program' not found on PATH")
        assert session.end() == 0


def test_an_attached_program_does_not_outlive_its_waiter(tmp_path: Path) -> None:
    """SIGTERM for the waiter ends the program, too."""
    waiter = ATTACH.replace(
        "ended =", "from wheelworks.signals import terminable\nwith terminable(): ended ="
    )
    script = 'trap "echo stopped; exit" TERM; echo ready; while :; do sleep 0.05; done'
    argv = [sys.executable, "-c", waiter, "sh", "-c", script]
    with TerminalSession(argv, env=os.environ, cwd=tmp_path) as session:
        session.await_text("ready")
        session.process.send_signal(signal.SIGTERM)
        session.await_text("stopped")
        assert session.end() != 0

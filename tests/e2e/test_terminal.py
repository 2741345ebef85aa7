#!/usr/bin/env python3
"""Signals and terminals: Ctrl-C, Ctrl-Z, kill, nohup."""
import os
import pty
import signal
import subprocess

from tap import Suite, check, equal, TERN

suite = Suite()


class Stream:
    """Our end of a terminal or pipe, read piece by piece."""

    def __init__(self, fd):
        self.fd = fd
        self.seen = b""

    def expect(self, wanted):
        """Reads until the bytes have come; keeps what is behind them for the next time."""
        while wanted not in self.seen:
            part = os.read(self.fd, 4096)
            check(part, f"{wanted!r} before the end", self.seen)
            self.seen += part
        before, self.seen = self.seen.split(wanted, 1)
        return before

    def type(self, data):
        os.write(self.fd, data)


def in_terminal(words, env):
    """A process in the foreground of a terminal of its own."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(words[0], words, env)
    return pid, Stream(fd)


def on_terminal(s, *words):
    return in_terminal([TERN, *map(str, words)], s.env())


def ended(pid, stream):
    _, status = os.waitpid(pid, 0)
    os.close(stream.fd)
    return status


def spinning(s, **more):
    """tern, when its program runs: (process, the runner's pid)."""
    p = s.start("exec", s.program("talk.c"), "spin", stdout=subprocess.PIPE, **more)
    Stream(p.stdout.fileno()).expect(b"ready\n")
    [runner] = children(p.pid)
    return p, runner


def waiting(s, **more):
    """The same with a program that waits for input."""
    p = s.start("exec", s.program("talk.c"), "wait", stdout=subprocess.PIPE,
                stdin=subprocess.PIPE, **more)
    Stream(p.stdout.fileno()).expect(b"ready\n")
    [runner] = children(p.pid)
    return p, runner


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


@suite.case
def control_c_ends_it_by_sigint(s):
    pid, terminal = on_terminal(s, "exec", s.program("talk.c"), "spin")
    terminal.expect(b"ready")
    terminal.type(b"\x03")
    status = ended(pid, terminal)
    equal((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, signal.SIGINT))


@suite.case
def control_backslash_ends_it_by_sigquit(s):
    pid, terminal = on_terminal(s, "exec", s.program("talk.c"), "wait")
    terminal.expect(b"ready")
    terminal.type(b"\x1c")
    status = ended(pid, terminal)
    equal((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, signal.SIGQUIT))


@suite.case
def end_of_input_on_a_terminal(s):
    pid, terminal = on_terminal(s, "exec", s.program("talk.c"), "wait")
    terminal.expect(b"ready")
    terminal.type(b"\x04")
    terminal.expect(b"got -1")
    equal(ended(pid, terminal), 0)


@suite.case
def a_signal_to_tern_alone_reaches_the_program(s):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        p, runner = spinning(s)
        p.send_signal(number)
        equal(p.wait(), -number)
        p.stdout.close()
        check(not os.path.exists(f"/proc/{runner}"), "the runner is gone")


@suite.case
def a_signal_to_the_program_alone_ends_tern_the_same_way(s):
    p, runner = spinning(s)
    os.kill(runner, signal.SIGTERM)
    equal(p.wait(), -signal.SIGTERM)
    p.stdout.close()


@suite.case
def stop_and_continue(s):
    p, _ = waiting(s, preexec_fn=os.setpgrp)
    os.kill(p.pid, signal.SIGTSTP)  # to tern only: it has to pass it on
    _, status = os.waitpid(p.pid, os.WUNTRACED)
    check(os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTSTP, "tern stopped", status)
    os.kill(p.pid, signal.SIGCONT)
    out, _ = p.communicate(b"x")
    equal((out, p.returncode), (b"got 120\n", 0))


@suite.case
def jobs_of_a_shell(s):
    """Ctrl-Z, then fg, in a shell that controls jobs."""
    pid, terminal = in_terminal(["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"],
                                dict(s.env(), PS1="P> ", TERM="dumb"))
    terminal.expect(b"P> ")
    terminal.type(f"'{TERN}' exec '{s.program('talk.c')}' wait\n".encode())
    terminal.expect(b"ready\r\n")
    terminal.type(b"\x1a")
    check(b"Stopped" in terminal.expect(b"P> "), "the job is stopped", terminal.seen)
    terminal.type(b"fg\n")
    terminal.expect(b"wait\r\n")
    terminal.type(b"y\n")
    terminal.expect(b"got 121")
    terminal.expect(b"P> ")
    terminal.type(b"exit\n")
    equal(ended(pid, terminal), 0)


@suite.case
def ignored_signals_stay_ignored(s):
    """As under nohup."""
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    p, runner = waiting(s, preexec_fn=ignore)
    os.kill(p.pid, signal.SIGHUP)
    os.kill(runner, signal.SIGHUP)
    out, _ = p.communicate(b"z")
    equal((out, p.returncode), (b"got 122\n", 0))


@suite.case
def killing_tern_ends_the_program(s):
    p, _ = spinning(s)
    p.kill()
    equal(p.wait(), -signal.SIGKILL)
    equal(p.stdout.read(), b"", "the end of its output")
    p.stdout.close()


@suite.case
def a_fault_that_somebody_sends_ends_the_runner(s):
    for sent in (signal.SIGSEGV, signal.SIGBUS):
        p, runner = spinning(s, stderr=subprocess.PIPE)
        os.kill(runner, sent)
        _, err = p.communicate()
        check(p.returncode > 0 and b"runner" in err, "tern says what happened", err)


suite.run()

#!/usr/bin/env python3
"""Signals and terminals: Ctrl-C, Ctrl-Z, kill, nohup."""
import os
import pty
import signal
import subprocess

from tap import Suite, check, equal, TERN

suite = Suite()


def read_until(fd, wanted):
    """Reads a terminal or pipe until the bytes have come."""
    seen = b""
    while wanted not in seen:
        part = os.read(fd, 4096)
        check(part, f"{wanted!r} before the end", seen)
        seen += part
    return seen


def on_terminal(s, *words):
    """tern in the foreground of a terminal of its own: (pid, our end of the terminal)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(TERN, [TERN, *map(str, words)], s.env())
    return pid, fd


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


@suite.case
def control_c_ends_it_by_sigint(s):
    pid, fd = on_terminal(s, "exec", s.program("talk.c"), "spin")
    read_until(fd, b"ready")
    os.write(fd, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    equal((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, signal.SIGINT))


@suite.case
def control_backslash_ends_it_by_sigquit(s):
    pid, fd = on_terminal(s, "exec", s.program("talk.c"), "wait")
    read_until(fd, b"ready")
    os.write(fd, b"\x1c")
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    equal((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, signal.SIGQUIT))


@suite.case
def end_of_input_on_a_terminal(s):
    pid, fd = on_terminal(s, "exec", s.program("talk.c"), "wait")
    read_until(fd, b"ready")
    os.write(fd, b"\x04")
    read_until(fd, b"got -1")
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    equal(status, 0)


@suite.case
def a_signal_to_tern_alone_reaches_the_program(s):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        p = s.start("exec", s.program("talk.c"), "spin", stdout=subprocess.PIPE)
        read_until(p.stdout.fileno(), b"ready")
        [runner] = children(p.pid)
        p.send_signal(number)
        equal(p.wait(), -number)
        p.stdout.close()
        check(not os.path.exists(f"/proc/{runner}"), "the runner is gone")


@suite.case
def a_signal_to_the_program_alone_ends_tern_the_same_way(s):
    p = s.start("exec", s.program("talk.c"), "spin", stdout=subprocess.PIPE)
    read_until(p.stdout.fileno(), b"ready")
    [runner] = children(p.pid)
    os.kill(runner, signal.SIGTERM)
    equal(p.wait(), -signal.SIGTERM)
    p.stdout.close()


@suite.case
def stop_and_continue(s):
    p = s.start("exec", s.program("talk.c"), "wait", stdout=subprocess.PIPE,
                stdin=subprocess.PIPE, start_new_session=False, preexec_fn=os.setpgrp)
    read_until(p.stdout.fileno(), b"ready")
    [runner] = children(p.pid)
    os.kill(p.pid, signal.SIGTSTP)  # to tern only: it has to pass it on
    _, status = os.waitpid(p.pid, os.WUNTRACED)
    check(os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTSTP, "tern stopped", status)
    with open(f"/proc/{runner}/stat", encoding="ascii") as f:
        state = f.read().rsplit(")", 1)[1].split()[0]
    check(state in "TtRS", "the program is there", state)
    os.kill(p.pid, signal.SIGCONT)
    out, _ = p.communicate(b"x")
    equal((out, p.returncode), (b"got 120\n", 0))


@suite.case
def jobs_of_a_shell(s):
    """Ctrl-Z, then fg, in a shell that controls jobs."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"],
                  dict(s.env(), PS1="P> ", TERM="dumb"))
    read_until(fd, b"P> ")
    os.write(fd, f"'{TERN}' exec '{s.program('talk.c')}' wait\n".encode())
    read_until(fd, b"ready")
    os.write(fd, b"\x1a")
    seen = read_until(fd, b"P> ")
    check(b"Stopped" in seen, "the job is stopped", seen)
    os.write(fd, b"fg\n")
    read_until(fd, b"wait\r\n")
    os.write(fd, b"y\n")
    read_until(fd, b"got 121")
    read_until(fd, b"P> ")
    os.write(fd, b"exit\n")
    os.waitpid(pid, 0)
    os.close(fd)


@suite.case
def ignored_signals_stay_ignored(s):
    """As under nohup."""
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    p = s.start("exec", s.program("talk.c"), "wait", stdout=subprocess.PIPE,
                stdin=subprocess.PIPE, preexec_fn=ignore)
    read_until(p.stdout.fileno(), b"ready")
    [runner] = children(p.pid)
    os.kill(p.pid, signal.SIGHUP)
    os.kill(runner, signal.SIGHUP)
    out, _ = p.communicate(b"z")
    equal((out, p.returncode), (b"got 122\n", 0))


suite.run()

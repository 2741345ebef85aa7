"""Parts on other machines: TLS over TCP, with a pinned key and the pool's token."""
import subprocess

import tap
from tap import check, clean_error, contains, equal

suite = tap.Suite()


class Far:
    """An agent, and a depot and a node that know nothing of it but its endpoint and the token."""

    def __init__(self, s):
        self.suite = s
        self.parts = []
        self.near, self.other = (self.directories(s, name) for name in ("near", "other"))
        self.at = self.start(self.near, "agent", "--listen", "tcp:127.0.0.1:0")[3].rstrip(",")
        self.token = s.file("token", (s.dir / "near/state/tern/agent/token").read_bytes())

    @staticmethod
    def directories(s, name):
        for part in ("run", "state"):
            (s.dir / name / part).mkdir(parents=True, mode=0o700)
        env = s.env(XDG_RUNTIME_DIR=s.dir / name / "run", XDG_STATE_HOME=s.dir / name / "state")
        for variable in ("TERN_AGENT", "TERN_POOL", "TERN_TOKEN"):
            env.pop(variable, None)
        return env

    def start(self, env, *words):
        process = self.suite.start(*words, env=env, stdout=subprocess.PIPE, text=True)
        self.parts.append(process)
        line = process.stdout.readline()
        check(line.startswith("ready: "), "a ready line", line)
        return line.split()

    def end(self):
        for process in reversed(self.parts):
            process.terminate()
            equal(process.wait(tap.PATIENCE_S), 0, "exit code")


def refusals(s, far, with_token):
    refused = s.tern("ps", "--pool", far.at, env=far.other)
    equal(refused.returncode, 5)
    clean_error(refused, "token")
    wrong = s.file("wrong", "0" * 64 + "\n")
    refused = s.tern("ps", "--pool", far.at, env=dict(far.other, TERN_TOKEN=str(wrong)))
    equal(refused.returncode, 5)
    clean_error(refused, "not that of this pool")
    last = "1" if far.at[-1] == "0" else "0"
    refused = s.tern("ps", "--pool", far.at[:-1] + last, env=with_token)
    check(refused.returncode != 0, "a wrong pin is refused", refused)
    clean_error(refused, "its key is not the one that was expected")
    refused = s.tern("ps", "--pool", far.at.split("#")[0], env=with_token)
    check(refused.returncode != 0, "no pin is refused", refused)
    clean_error(refused, "pin")


def work(s, far):
    depot = far.start(far.other, "depot", "--agent", far.at, "--token", far.token, "--name", "d",
                      "--listen", "tcp:127.0.0.1:0")
    check(depot[-1].startswith("tcp:127.0.0.1:") and "#" in depot[-1], "a pinned endpoint", depot)
    far.start(far.other, "node", "--agent", far.at, "--token", far.token, "--name", "n")
    with_token = dict(far.other, TERN_TOKEN=str(far.token))
    result = s.tern("run", "--pool", far.at, s.program("echo.c"), "far", env=with_token,
                    input="x" * 100000)
    equal(result.returncode, 7, result.stderr)
    equal(result.stdout, "far\n" + "x" * 100000)
    refusals(s, far, with_token)
    # By the socket, without any of it: the same user.
    contains(s.tern("ps", "--all", env=far.near).stdout, "exit 7")


@suite.case
def a_program_runs_on_another_machine(s):
    far = Far(s)
    try:
        work(s, far)
    finally:
        far.end()


suite.run()

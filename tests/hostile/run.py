#!/usr/bin/env python3
"""Modules that try to get out or to wedge the host: each ends in one clear error, or in the right
result, within its limits. TAP; --all adds the slow ones; names of cases select.

Needs TERN_EXE and TERN_RUNNER in the environment.
"""
from shared import Hostile
import answers
import calls
import limits
import memory
import names
import paths
import sizes

suite = Hostile()
memory.register(suite)
limits.register(suite)
names.register(suite)
answers.register(suite)
calls.register(suite)
paths.register(suite)
sizes.register(suite)
suite.run()

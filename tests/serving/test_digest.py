"""Digest authentication: the examples of RFC 7616, and a server that checks every answer with a library's code."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import md5, sha256
from itertools import count

import pytest
from pydantic import SecretStr
from werkzeug.datastructures import Authorization  # noqa: F401

"""Fairlead serves the HTTP APIs that capability files describe, as a REST gateway and as MCP tools."""

from importlib.metadata import version

__version__ = version("fairlead")

"""Mainstem: a reverse proxy that re-streams chat and LLM APIs in one schema."""

__version__ = "0.3.0.dev0"

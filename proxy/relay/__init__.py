"""Relaying: from an upstream's bytes to a client's bytes, and all that can happen between."""

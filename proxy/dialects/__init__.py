"""The wire formats: each a client half, an upstream half or both. Dialects do not know one
another.
"""

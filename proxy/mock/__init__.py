"""A vendor that behaves, or misbehaves, on demand: it plays scripts over real HTTP, without a key
or a network.
"""

"""Recordings: a real upstream's answers with their read boundaries and gaps, as files. Sans-IO:
`relay.recorder` makes them, `mock` replays them, the commands show and convert them.
"""

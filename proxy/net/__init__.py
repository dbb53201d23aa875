"""The network below HTTP: which addresses may be connected to, how names are resolved, and how a
vanished peer is noticed.
"""

"""What is observed about streams: a record each (record), out of which come metrics (metrics) and a
log line (logs).
"""

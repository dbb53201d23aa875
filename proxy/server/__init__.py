"""The clients' side: requests in, answers out, whatever the dialect."""

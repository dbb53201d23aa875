"""HTTP to upstreams: a request out, an answer's bytes in. Knows no dialect and parses no answer."""

"""Who may call, and how much: keys, signed tokens, rates, and from which pages."""

"""Where streams are kept so that other processes can read them."""

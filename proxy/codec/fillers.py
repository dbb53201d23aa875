"""What is said in the user's place where a vendor wants a turn of the user and the client has none:
the same words for the same request, so that a conversation goes up as the same bytes.
"""

BEGINNING = "(The conversation begins.)"
GO_ON = "Go on exactly where your last message ends, without repeating any of it."

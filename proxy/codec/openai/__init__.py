"""What OpenAI's dialects, and those that took over their forms, share: errors, token counts, finish
reasons.
"""

"""The configuration: its shape (model), reading it (load), what is wrong with it (mistakes), and
putting it in words (describe).
"""

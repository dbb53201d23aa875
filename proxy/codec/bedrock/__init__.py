"""What the dialects of AWS Bedrock share: how a model is called, how errors are said, and the
Converse form of requests and answers.

Source of names and limits: the service model of `bedrock-runtime` (2023-09-30) and the Bedrock user
guide. This folder is no dialect.
"""

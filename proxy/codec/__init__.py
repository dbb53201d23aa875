"""What dialects share: the halves' data, bases of decoders and encoders, and the families of OpenAI
and Bedrock.
"""

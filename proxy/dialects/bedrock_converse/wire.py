"""The dialect's name. The structs are in `proxy/codec/bedrock/wire.py`: both of Bedrock's dialects
read them.
"""

NAME = "bedrock_converse"

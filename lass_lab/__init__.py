"""LASS Lab: language-queried audio source separation, as a course and as a small package."""

import os

__version__ = "0.1.0"

# What PyTorch cannot do on Apple's GPUs, single operations, the CPU does; PyTorch reads this once, at its import.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

# Threads that wait for each other look so often whether they may go on before they sleep; libgomp reads it once, as
# PyTorch loads it. Its own 300,000 times last longer than a turn on a core: where other processes want the cores, a
# thread would spend its turns on looking while the one that it waits for has none.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

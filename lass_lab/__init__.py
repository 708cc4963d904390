"""LASS Lab: language-guided audio source separation, as a course and as a small package."""

import os

__version__ = "0.1.0"

# What PyTorch cannot do on Apple's GPUs, single operations, the CPU does; PyTorch reads this once, at its import.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

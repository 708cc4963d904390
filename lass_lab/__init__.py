"""LASS Lab: language-guided audio source separation, as a course and as a small package."""

__version__ = "0.1.0"

"""The authors' commands, `python -m authoring ...`; each imports what it needs as it runs."""

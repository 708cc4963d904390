"""What notebook 01 alone uses."""

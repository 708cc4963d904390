"""What notebook 06 alone uses."""

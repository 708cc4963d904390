"""What notebook 04 alone uses."""

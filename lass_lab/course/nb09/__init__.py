"""What notebook 09 alone uses."""

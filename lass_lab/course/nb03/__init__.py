"""What notebook 03 alone uses."""

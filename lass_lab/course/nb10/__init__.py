"""What notebook 10 alone uses: films drawn from scores, an eye, and a separator that learns by looking."""

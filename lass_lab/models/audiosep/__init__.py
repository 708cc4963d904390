"""The full-size tier: CLAP, AudioSep's keys, checkpoints from elsewhere, downloads. Imported only when asked for."""

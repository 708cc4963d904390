"""The music and the sound: from a seeded composer to rendered sources."""

"""What callers hand in: types, numbers as people write them, files, intervals."""

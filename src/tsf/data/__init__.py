"""From videos to .bin files and the account of every listed video. May import recipe."""

"""From videos to .bin files and the account of every listed video. Imports no other room."""

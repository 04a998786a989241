"""What the rules need to know before any work. May import data, model, engines."""

"""Effects of what users chose themselves, among users who are alike."""

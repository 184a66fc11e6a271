"""The user's repository and the private one: diff, status, commit and the content store."""

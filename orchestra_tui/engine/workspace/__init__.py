"""The user's files: read and changed only through a `SafeTree` that cannot leave the project."""

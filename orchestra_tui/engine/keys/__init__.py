"""Keys of providers: from the environment, the user's key file, or the system keyring.

The rule a reader must not break: a value goes to the adapter that needs it and nowhere else. It
is never put into `os.environ`, which every child would inherit, nor into an argument.
"""

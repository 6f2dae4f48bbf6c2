"""The command line `jaxvqa`, one file a command."""

"""What stands when all is calm, read past the services: the log, the files, the store's answers."""

"""The embedded parts under the data's way: Java, Kafka and its jars, mongod, and the processes they run in.

`desk.up` starts them for `make up`, `tests/conftest.py` for the tests: the same code with
other ports and folders.
"""

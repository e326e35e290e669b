"""The Kafka edge: the only modules that know a Kafka client.

Records in and out are `newsroom.records`, bytes throughout.
"""

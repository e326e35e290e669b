"""The peer: a small news site as one would begin it with Wagtail. Runs in an environment of its own.

Each choice that is not Wagtail's default is made in its favour, and says so.
"""

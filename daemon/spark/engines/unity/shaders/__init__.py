"""Shaders: their names, property lists and keywords, read from the project's files or known of Unity's own.

Knows nothing of materials. Everything here is imported when a material is made or edited, never at the daemon's start.
"""

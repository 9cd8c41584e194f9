"""Unity's native classes: ids, fields and defaults per editor version, names people use for them, what needs what.

Facts as data. Knows nothing of files, projects or how a document is written; import its modules where they are needed,
the tables are not for the daemon's start.
"""

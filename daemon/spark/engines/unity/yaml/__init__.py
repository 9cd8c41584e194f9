"""Unity's dialect of YAML: a lossless document model over the original bytes, and a writer of canonical text.

Knows nothing of projects, guids or what a class of Unity means; bytes in, bytes out.
"""

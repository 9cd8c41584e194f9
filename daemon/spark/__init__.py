"""SPARK for Unity: a localhost daemon that turns prompts into files and keeps every version of every file."""

__version__ = "0.1.0"

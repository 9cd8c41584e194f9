"""One module of rows per group of classes; `bodies.py` is their only reader."""

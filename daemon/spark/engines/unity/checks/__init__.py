"""What is wrong with assets, one by one and together: objects, references, metas, guids.

Reads through the ports only and writes nothing. Import the module that is needed: the tables load with the first check.
"""

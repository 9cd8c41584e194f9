"""The pure heart: no I/O, no asyncio, no clock but what is passed in."""

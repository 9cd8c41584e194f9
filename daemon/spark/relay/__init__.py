"""Between the pure core and the world: carries out what the turn machine says and serves what clients ask."""

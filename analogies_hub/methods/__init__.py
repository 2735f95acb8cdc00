"""One folder a method; `registry.METHODS` lists them."""

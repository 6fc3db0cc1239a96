"""The room `decode`."""

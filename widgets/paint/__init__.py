"""Numbers and a width in, text out: renderables that know no widget."""

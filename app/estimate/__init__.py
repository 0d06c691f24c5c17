"""Memory before the load: the GGUF header and the formulas that turn it into bytes."""

"""What log lines prove: the runtime's allocations, the causes behind failures, who loaded and unloaded."""

"""What the machine is doing: NVIDIA GPUs by NVML, the host by psutil."""

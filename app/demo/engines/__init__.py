"""What answers inside the demo server: real llama.cpp, or a scripted stand-in for tests."""

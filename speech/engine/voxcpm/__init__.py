"""The VoxCPM engine: all that imports torch, for the engine's own process alone."""

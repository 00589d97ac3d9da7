"""VoxCPM: the batching engine. Only what its child process imports late knows torch."""

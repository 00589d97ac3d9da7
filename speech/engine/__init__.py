"""Engines turn utterances into streams of audio. Nothing heavy is imported here."""

"""Hosts carry any engine to where it should run, behind the same interface."""

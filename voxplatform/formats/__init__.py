"""How languages write numbers, where Django knows it otherwise."""

"""What scalar code is written with."""

"""The pictures of the documentation, taken from a lab that really did what they show."""

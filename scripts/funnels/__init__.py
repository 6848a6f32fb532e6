"""How far those who sign up get."""

"""How the scripts open the engine: below every other room."""

"""How far people and programs that code the same pictures or videos agree."""

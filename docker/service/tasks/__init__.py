"""The task protocol shared by the API and the workers."""

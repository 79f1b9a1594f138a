"""The application and its chat screen: everything on screen, plugged together."""

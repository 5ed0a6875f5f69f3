"""Pure: what is learned from how cases ended. Figures with their intervals, and comparisons."""

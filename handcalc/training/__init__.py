"""Many updates: training, when it stops, what it is judged by, and the check of the gradients that it uses."""

"""What teachers set: whether an exercise is sound (`lint`), and the same exercise with other numbers (`generate`)."""

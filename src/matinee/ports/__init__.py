"""What the stages need from the outside, in our words."""

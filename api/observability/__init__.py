"""What an operator sees of a running program (可观测性): logs, metrics, health."""

"""What the API, the workers and the task protocol stand on: settings, stores, logs, metrics."""

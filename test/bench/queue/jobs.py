"""The record that a peer's user would keep of a task, as durable as the service's own."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  id uuid PRIMARY KEY, prompt text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz, finished_at timestamptz, result text
)
"""
ACCEPT = "INSERT INTO jobs (id, prompt) VALUES ($1, 'a cat')"
FINISH = (
    "UPDATE jobs SET started_at = to_timestamp($2), finished_at = now(), result = 'outputs/0.png'"
    " WHERE id = $1"
)

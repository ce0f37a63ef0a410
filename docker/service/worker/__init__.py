"""The GPU worker: claims tasks, makes pictures, finalises records."""

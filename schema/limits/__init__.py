"""What a document may ask for: decided before execution, once per document."""

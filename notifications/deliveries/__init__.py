"""Sending what was planned (投递): taken up, handed to the platforms, settled, looked up, sent again."""

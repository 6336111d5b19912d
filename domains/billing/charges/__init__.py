"""What is to be charged (计费): one statement over houses, items and months, put together from named parts."""

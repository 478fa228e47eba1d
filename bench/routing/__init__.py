"""Parts of bench/routing.py: each measures one recorded set and yields rows of the table."""

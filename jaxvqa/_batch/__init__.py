"""Many pairs: a manifest's jobs, a ledger of what is done, workers, and one table.

`manifest` and `names` give the jobs, `keys` tells whether one is done already, `order` puts the
others into passes, `local` has workers score them, `ledger` keeps what came out, and `table` makes
one table of it.
"""

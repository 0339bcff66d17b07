"""Networks out of recipes: data cached and packed, one visible loop, export with parity check and card."""

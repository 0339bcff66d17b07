"""Who is where: people are detected, followed through time, and chosen."""

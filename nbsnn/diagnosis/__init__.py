"""Why a network does not learn, and what to change."""

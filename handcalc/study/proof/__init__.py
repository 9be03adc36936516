"""Why a derivative is what it is."""

"""Programs about the tests."""

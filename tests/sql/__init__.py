"""Tests of the one SQL module, on both databases."""

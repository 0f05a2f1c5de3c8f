"""Readers, audits and stores of face datasets."""

"""What a run is worth: predictions, metrics, intervals, calibration."""

"""Reports over a day or a week, for people who read mail and no dashboards."""

"""The REST API and the web page: routes, limits, queues; everything is computed elsewhere."""

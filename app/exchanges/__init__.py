"""Requests and their answers: joined from three logs, counted, exported."""

"""Durable orders of stages."""

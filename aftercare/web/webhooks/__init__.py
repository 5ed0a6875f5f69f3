"""Webhooks: what helpdesks and survey tools tell by themselves becomes evidence on the right case."""

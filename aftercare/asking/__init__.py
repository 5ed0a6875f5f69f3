"""Asking the customer, purely: the questions, what was answered, the signed link, the words of the invitation."""

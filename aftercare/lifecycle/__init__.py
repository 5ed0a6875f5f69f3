"""What a case is, purely: its state, what may be taken in, how it ends, and how it reads. No I/O, no clock."""

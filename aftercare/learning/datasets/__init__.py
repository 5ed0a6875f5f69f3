"""What is learned from: the cases of a firing, one row each, and what they say together. Pure.

`Freezing` makes rows of cases and accounts for every piece that was claimed, `Problems` parts them so that no problem
stands on both sides, `Diagnosing` says what they tell, and `told` says it to people.
"""

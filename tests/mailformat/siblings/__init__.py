"""Mails that nobody has received, made by rule: each program's way to quote, in each language, around a few
answers. What a person would read in them is known, since they are put together from it.
"""

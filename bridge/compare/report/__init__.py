"""What a comparison found, said: in sentences, as a page with pictures, and for programs.

What became of a fit to rate dynamics is a page of the same kind.
"""

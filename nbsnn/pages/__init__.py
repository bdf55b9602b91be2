"""Pages: a run, a recording or a training as one HTML file that can be zoomed and clicked.

Needs Bokeh: ``pip install "nbsnn[page]"``. What is to be seen is gathered into plain arrays (``content``), within
budgets, and drawn from them.
"""

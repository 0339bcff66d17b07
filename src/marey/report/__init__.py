"""What a person looks at: the page of an evaluation, one file that needs nothing else.

Conventions: HTML with its style and its pictures inside; no script, no address of another file. Every number
is a `<data>` element whose `value` is that of the result's JSON; what is printed is that value rounded. Plots
are SVG drawn by our own few functions, in colours that stay apart for every common kind of colour blindness
(Okabe and Ito 2008), on light or dark as the reader has it, and on paper.
"""

from marey.report.page import write_page

__all__ = ["write_page"]

"""Grade a student's repository by reading it, never by running it.

`python -m grader PATH` reads the notebooks, READMEs, run folders and model
files under PATH and answers, rule by rule, pass, fail or unproven, with the
evidence. No code of a submission is imported or executed: notebooks are parsed
to syntax trees and interpreted by a whitelist (`grader.interpret`), and every
submission is read in a process of its own with bounded time and memory
(`grader.sandbox`).

From small to large: `layers` and `graph` know what a layer does to sizes,
parameters and receptive fields; `interpret` rebuilds networks from code;
`logs`, `summaries`, `comments` and `readme` read what a student wrote or
pasted; `evidence` decides which network and which log is the base and which the
student's own; `rules` judges; `report` and `page` show.
"""

X(journal)
X(pipeline)
X(runner)

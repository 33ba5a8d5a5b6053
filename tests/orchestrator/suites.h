X(journal)

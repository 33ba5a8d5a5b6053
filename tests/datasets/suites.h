X(store)

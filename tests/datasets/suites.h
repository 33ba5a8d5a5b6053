X(store)
X(statistics_json)
X(tensors)

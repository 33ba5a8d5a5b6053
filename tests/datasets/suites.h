X(store)
X(statistics_json)

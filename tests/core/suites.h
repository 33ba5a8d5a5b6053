X(status)

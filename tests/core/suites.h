X(status)
X(hash)
X(rng)
X(text)

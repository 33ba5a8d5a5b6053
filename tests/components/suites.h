X(validate)
X(resolver)
X(pusher)
X(transform_semantics)

X(validate)
X(resolver)
X(pusher)

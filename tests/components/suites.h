X(resolver)
X(pusher)

X(pipelines)
X(device_ranks)

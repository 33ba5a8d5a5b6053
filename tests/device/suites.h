X(pipelines)

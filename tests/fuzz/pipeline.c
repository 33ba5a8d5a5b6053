/* Pipeline files, against the nine real components. */
#include "orchestrator/pipeline/pipeline.h"

#include "tests/fuzz/fuzz.h"

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    struct pen_pipeline pipeline;
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_pipeline_read(&pipeline, pen_fuzz_file(bytes, size_bytes), NULL, 0, pen_components, &err) == PEN_OK) {
        PEN_ASSERT(pipeline.n_nodes > 0 && pipeline.name != NULL);
        pen_pipeline_deinit(&pipeline);
    }
}

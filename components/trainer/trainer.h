/* Trainer: a model from transformed examples.
 *
 * does         trains a linear, dnn or wide_deep network for a binary, multi-class or regression label (TFX's Trainer;
 *              where that runs the user's code, this has models and good defaults)
 * consumes     transformed_examples (Examples with tensors): the split `split` (train), no other is opened;
 *              transform_graph (TransformGraph), copied into the model; base_model (Model, optional): warm start, the
 *              last blessed model where option warm_start says so
 * produces     model (Model): model.json, weights.bin, transform/; model_run (ModelRun): curves.json {schema, metric,
 *              result, curves: [{step, epoch, train_loss, validation_loss, <metric>, learning_rate, rows_per_s}]}
 * options      see `penstock component trainer --help`
 * fingerprint  input content, options, version; the seed is an option
 * resume       from the newest whole checkpoint of an execution of the same configuration that did not succeed, to the
 *              same bits as if it had never stopped; `checkpoint` says when they are written, and a request to stop
 *              (SIGTERM, SIGINT) writes one after the step under way
 * ranks        data-parallel: each takes its part of every batch; every rank reads all rows
 * limits       memory_limit_mb of examples and at most 65,536 validation rows, plus 3 to 5 times the parameters
 * errors       a checkpoint of another configuration when asked to resume: PEN_ERR_CONFIG; no label, no labelled rows,
 *              rows of one class only: PEN_ERR_DATA; divergence: PEN_ERR_FAILED with the step and what to change; a
 *              device without room: PEN_ERR_MEMORY with what did not fit and what would */
#ifndef PEN_COMPONENTS_TRAINER_TRAINER_H
#define PEN_COMPONENTS_TRAINER_TRAINER_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_trainer;

#ifdef __cplusplus
}
#endif

#endif

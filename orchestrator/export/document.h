/* Pieces of the documents that describe containers. Each value is the caller's; NULL when memory is short, which the
 * printing of the whole tells. */
#ifndef PEN_ORCHESTRATOR_EXPORT_DOCUMENT_H
#define PEN_ORCHESTRATOR_EXPORT_DOCUMENT_H

#include "orchestrator/export/export.h"

pen_json *pen_document_joined(const char *prefix, const char *text);
pen_json *pen_document_count(int64_t count); /* as a text, as quantities are */
pen_json *pen_document_member(const char *key, pen_json *value);
pen_json *pen_document_list(pen_json *item);
/* [program] */
pen_json *pen_document_command(const struct pen_export_step *step);
/* The other words of the command, then --run and run. */
pen_json *pen_document_args(const struct pen_export_step *step, const char *run);
/* {image, limits of GPUs, the volume's mount}: a container of Kubernetes, and the volume it mounts. */
pen_json *pen_document_container(const struct pen_export *export, int64_t n_gpus);
pen_json *pen_document_volumes(const struct pen_export *export);
/* PEN_ERR_UNSUPPORTED for words that the cluster would change: Kubernetes reads $(...) and $$ in commands, the runners
 * read {{. */
PEN_MUST_USE pen_status pen_document_refuse(const struct pen_export *export, const char *target, struct pen_error *err);
/* Names (dns) of the steps before. */
pen_json *pen_document_before(const struct pen_export *export, const struct pen_export_step *step);

#endif

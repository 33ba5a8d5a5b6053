/* The manifest of an artifact: which files it holds, how large, with which SHA-256. Written last into its folder; the
 * artifact's content hash is the SHA-256 of the file list, so equal content has an equal hash wherever it lies. */
#ifndef PEN_ORCHESTRATOR_RUN_MANIFEST_H
#define PEN_ORCHESTRATOR_RUN_MANIFEST_H

#include "core/hash.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Hashes every file below folder and writes manifest.json {schema, type, files: [{path, size_bytes, sha256}], hash,
 * stats: [{inode, mtime_ns, ctime_ns}]}, the last beside the files, outside the hash. Not synced: publishing does that.
 */
PEN_MUST_USE pen_status pen_manifest_write(const char *folder, const char *type, char hash[PEN_SHA256_HEX_BYTES],
                                           struct pen_error *err);

/* The manifest lists what `hash` (NULL: any) was taken of, and every file is there with its size and content: trusted
 * while inode and times are those of the manifest (deep: never), else hashed. PEN_ERR_DATA names the first that was
 * changed. */
PEN_MUST_USE pen_status pen_manifest_verify(const char *folder, const char *hash, bool deep, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif

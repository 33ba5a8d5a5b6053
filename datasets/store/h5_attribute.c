/* Groups, small attributes and names in a feature store. Integers are 64-bit, strings fixed-length UTF-8; anything
 * else found under an expected name is an error that says so. */
#include "core/text.h"
#include "datasets/store/h5_internal.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ATTRIBUTE_BYTES = 60000, MAX_MEMBERS = 1 << 20 };

pen_status pen_h5_create_group(struct pen_h5_file *file, hid_t parent, const char *name, hid_t *group,
                               struct pen_error *err)
{
    pen_status status = PEN_OK;
    pen_h5_lock();
    hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    *group = -1;
    if (properties < 0 || H5Pset_obj_track_times(properties, false) < 0 ||
        H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) < 0 ||
        (*group = H5Gcreate2(parent, name, H5P_DEFAULT, properties, H5P_DEFAULT)) < 0) {
        status = pen_h5_fail(err, file->path, "create a group");
        pen_error_prefix(err, "column or group %s: ", name);
    }
    (void)H5Pclose(properties);
    pen_h5_unlock();
    return status;
}

/* True when parent has a hard link of that name: soft and external links are never followed. */
static bool is_hard_link(hid_t parent, const char *name)
{
    H5L_info_t info;
    return H5Lexists(parent, name, H5P_DEFAULT) > 0 && H5Lget_info(parent, name, &info, H5P_DEFAULT) >= 0 &&
           info.type == H5L_TYPE_HARD;
}

pen_status pen_h5_open_group(const struct pen_h5_file *file, hid_t parent, const char *name, hid_t *group,
                             struct pen_error *err)
{
    pen_h5_lock();
    *group = is_hard_link(parent, name) ? H5Gopen2(parent, name, H5P_DEFAULT) : -1;
    (void)H5Eclear2(H5E_DEFAULT);
    pen_h5_unlock();
    if (*group < 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a group \"%s\", found none", file->path, name);
    }
    return PEN_OK;
}

void pen_h5_close_group(hid_t group)
{
    if (group >= 0) {
        pen_h5_lock();
        (void)H5Gclose(group);
        pen_h5_unlock();
    }
}

bool pen_h5_exists(hid_t parent, const char *name)
{
    pen_h5_lock();
    bool exists = is_hard_link(parent, name);
    (void)H5Eclear2(H5E_DEFAULT);
    pen_h5_unlock();
    return exists;
}

static pen_status set_attribute(struct pen_h5_file *file, hid_t object, const char *name, hid_t type, const void *value,
                                struct pen_error *err)
{
    pen_status status = PEN_OK;
    hid_t attribute = -1;
    hid_t space = H5Screate(H5S_SCALAR);
    if (type < 0 || space < 0 || (attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)) < 0 ||
        H5Awrite(attribute, type, value) < 0) {
        status = pen_h5_fail(err, file->path, "write an attribute");
        pen_error_prefix(err, "attribute %s: ", name);
    }
    if (attribute >= 0) {
        (void)H5Aclose(attribute);
    }
    (void)H5Sclose(space);
    return status;
}

pen_status pen_h5_set_int(struct pen_h5_file *file, hid_t object, const char *name, int64_t value,
                          struct pen_error *err)
{
    pen_h5_lock();
    pen_status status = set_attribute(file, object, name, H5T_STD_I64LE, &value, err);
    pen_h5_unlock();
    return status;
}

pen_status pen_h5_set_string(struct pen_h5_file *file, hid_t object, const char *name, const char *value,
                             struct pen_error *err)
{
    size_t size = strlen(value);
    if (size > MAX_ATTRIBUTE_BYTES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%s: attribute %s: expected at most %d bytes, found %zu", file->path, name,
                 MAX_ATTRIBUTE_BYTES, size);
    }
    pen_h5_lock();
    hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, size + 1);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    pen_status status = set_attribute(file, object, name, type, value, err);
    (void)H5Tclose(type);
    pen_h5_unlock();
    return status;
}

/* Opens a scalar attribute of a type class; *size is its bytes. */
static hid_t open_attribute(hid_t object, const char *name, H5T_class_t wanted, size_t *size)
{
    if (H5Aexists(object, name) <= 0) {
        return -1;
    }
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) {
        return -1;
    }
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    bool fits = type >= 0 && space >= 0 && H5Tget_class(type) == wanted && H5Tis_variable_str(type) <= 0 &&
                H5Sget_simple_extent_npoints(space) == 1;
    *size = type >= 0 ? H5Tget_size(type) : 0;
    (void)H5Tclose(type);
    (void)H5Sclose(space);
    if (!fits || *size == 0 || *size > MAX_ATTRIBUTE_BYTES + 1) {
        (void)H5Aclose(attribute);
        return -1;
    }
    return attribute;
}

pen_status pen_h5_get_int(const struct pen_h5_file *file, hid_t object, const char *name, int64_t *value,
                          struct pen_error *err)
{
    size_t size = 0;
    pen_h5_lock();
    hid_t attribute = open_attribute(object, name, H5T_INTEGER, &size);
    bool read = attribute >= 0 && H5Aread(attribute, H5T_NATIVE_INT64, value) >= 0;
    if (attribute >= 0) {
        (void)H5Aclose(attribute);
    }
    (void)H5Eclear2(H5E_DEFAULT);
    pen_h5_unlock();
    if (!read) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected an integer attribute \"%s\", found none", file->path, name);
    }
    return PEN_OK;
}

pen_status pen_h5_get_string(const struct pen_h5_file *file, hid_t object, const char *name, struct pen_arena *arena,
                             const char **value, struct pen_error *err)
{
    size_t size = 0;
    bool read = false;
    pen_h5_lock();
    hid_t attribute = open_attribute(object, name, H5T_STRING, &size);
    char *text = attribute >= 0 ? pen_arena_alloc(arena, (int64_t)size + 1, 1) : NULL;
    if (text != NULL) {
        hid_t type = H5Aget_type(attribute);
        read = type >= 0 && H5Aread(attribute, type, text) >= 0;
        (void)H5Tclose(type);
    }
    if (attribute >= 0) {
        (void)H5Aclose(attribute);
    }
    (void)H5Eclear2(H5E_DEFAULT);
    pen_h5_unlock();
    if (!read) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a text attribute \"%s\", found none", file->path, name);
    }
    *value = text;
    return PEN_OK;
}

static bool list_locked(hid_t group, struct pen_arena *arena, const char **names, int64_t n_names)
{
    for (int64_t i = 0; i < n_names; i++) {
        ssize_t size =
            H5Lget_name_by_idx(group, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, (hsize_t)i, NULL, 0, H5P_DEFAULT);
        char *name = size > 0 && size < PEN_H5_NAME_BYTES ? pen_arena_alloc(arena, size + 1, 1) : NULL;
        if (name == NULL || H5Lget_name_by_idx(group, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, (hsize_t)i, name,
                                               (size_t)size + 1, H5P_DEFAULT) != size) {
            return false;
        }
        names[i] = name;
    }
    return true;
}

pen_status pen_h5_list(const struct pen_h5_file *file, hid_t group, struct pen_arena *arena, const char ***names,
                       int64_t *n_names, struct pen_error *err)
{
    H5G_info_t info = {0};
    bool listed = false;
    pen_h5_lock();
    if (H5Gget_info(group, &info) >= 0 && info.nlinks <= MAX_MEMBERS) {
        *n_names = (int64_t)info.nlinks;
        *names = pen_arena_alloc(arena, *n_names + 1, sizeof **names);
        listed = *names != NULL && list_locked(group, arena, *names, *n_names);
    }
    (void)H5Eclear2(H5E_DEFAULT);
    pen_h5_unlock();
    if (!listed) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a list of columns in order of creation, found none", file->path);
    }
    return PEN_OK;
}

pen_status pen_h5_escape_name(char out[PEN_H5_NAME_BYTES], const char *name, struct pen_error *err)
{
    size_t used = 0;
    for (const char *c = name; *c != '\0'; c++) {
        bool special = *c == '/' || *c == '%' || (*c == '.' && c == name) || (unsigned char)*c < 0x20;
        if (used + 4 > PEN_H5_NAME_BYTES) {
            PEN_FAIL(err, PEN_ERR_LIMIT, "column \"%.60s...\": expected a name of at most %d bytes", name,
                     PEN_H5_NAME_BYTES - 4);
        }
        if (special) {
            (void)snprintf(out + used, 4, "%%%02X", (unsigned char)*c);
            used += 3;
        } else {
            out[used++] = *c;
        }
    }
    if (used == 0) {
        out[used++] = '%'; /* an empty name */
    }
    out[used] = '\0';
    return PEN_OK;
}

/* Opening a group the way its device has, and its calls. */
#include "kernels/group.h"

static pen_status look(void *user, bool late, struct pen_error *err)
{
    struct pen_communicator *communicator = user;
    return late ? pen_communicator_barrier(communicator, err) : pen_communicator_look(communicator, err);
}

/* Rank 0 names the group. It may fail to, and the others wait for the name: so all hear whether there is one. */
static pen_status share_id(struct pen_exec *exec, struct pen_group_place *place, struct pen_communicator *communicator,
                           struct pen_error *err)
{
    pen_status status = place->rank == 0 ? exec->device->name_group(exec, place->id, err) : PEN_OK;
    if (status != PEN_OK) {
        pen_communicator_abort(communicator, err != NULL ? err->message : "its group has no name");
        return status;
    }
    return pen_communicator_broadcast(communicator, place->id, sizeof place->id, 0, err);
}

pen_status pen_group_open(struct pen_group **group, struct pen_exec *exec, struct pen_communicator *communicator,
                          bool through_host, struct pen_error *err)
{
    if (through_host || exec->device->open_group == NULL) {
        return pen_group_open_host(group, exec, communicator, err);
    }
    struct pen_group_place place = {.rank = communicator->rank,
                                    .size = communicator->size,
                                    .timeout_s = communicator->timeout_s,
                                    .look = look,
                                    .user = communicator};
    PEN_TRY(share_id(exec, &place, communicator, err));
    return exec->device->open_group(exec, group, &place, err);
}

pen_status pen_group_sum(struct pen_group *group, float *values, int64_t n, struct pen_error *err)
{
    return n == 0 ? PEN_OK : group->table->add_up(group, values, n, false, err);
}

pen_status pen_group_mean(struct pen_group *group, float *values, int64_t n, struct pen_error *err)
{
    return n == 0 ? PEN_OK : group->table->add_up(group, values, n, true, err);
}

pen_status pen_group_gather(struct pen_group *group, const struct pen_group_piece *pieces, int64_t n_pieces,
                            struct pen_error *err)
{
    return n_pieces == 0 ? PEN_OK : group->table->gather(group, pieces, n_pieces, err);
}

pen_status pen_group_join(struct pen_group *group, struct pen_error *err)
{
    return group->table->join(group, err);
}

pen_status pen_group_finish(struct pen_group *group, struct pen_error *err)
{
    return group->table->finish(group, err);
}

void pen_group_close(struct pen_group *group)
{
    if (group != NULL) {
        group->table->close(group);
    }
}

#include "cli/commands.h"
#include "cli/pool_json.h"
#include "cli/pool_text.h"
#include "cli/say.h"
#include "cli/say_json.h"

#include <stdio.h>

struct listing {
    json_t *nodes, *depots; /* NULL: text */
    bool any_node, any_depot;
};

static bool list(void *context, const struct tern_rows *rows)
{
    struct listing *l = context;

    for (size_t i = 0; i < rows->node_count; i++) {
        if (l->nodes)
            json_array_append_new(l->nodes, pool_json_node(&rows->nodes[i]));
        else
            pool_text_node(&rows->nodes[i], !l->any_node);
        l->any_node = true;
    }
    for (size_t i = 0; i < rows->depot_count; i++) {
        if (l->depots)
            json_array_append_new(l->depots, pool_json_depot(&rows->depots[i]));
        else
            pool_text_depot(&rows->depots[i], !l->any_depot);
        l->any_depot = true;
    }
    return true;
}

int cmd_nodes(const struct invocation *in)
{
    const bool json = pool_wants_json(in);
    struct listing l = {.nodes = json ? json_array() : NULL, .depots = json ? json_array() : NULL};
    struct tern_query nodes = {.what = TERN_ASK_NODES}, depots = {.what = TERN_ASK_DEPOTS};
    int code = 0;
    struct tern *t = pool_open(in, &code);

    if (t)
        code = pool_ask_all(in, t, &nodes, list, &l);
    if (t && !code && !json && !l.any_node)
        puts("no nodes; start one with tern node");
    if (t && !code)
        code = pool_ask_all(in, t, &depots, list, &l);
    tern_close(t);
    if (json && !code)
        say_json_take(json_pack("{soso}", "nodes", l.nodes, "depots", l.depots));
    return code ? code : say_end_of_output(0);
}

int cmd_drain(const struct invocation *in)
{
    const bool back = invocation_value(in, "back") != NULL;
    uint64_t count = 0;
    enum tern_err err;
    int code = 0;
    struct tern *t = pool_open(in, &code);

    if (!t)
        return code;
    err = tern_drain(t, in->args[0], back, &count);
    if (err)
        code = pool_fail(in, t, err);
    else if (pool_wants_json(in))
        pool_json_line_take(json_pack("{ss sb sI}", "node", in->args[0], "drained", !back, "tasks",
                                      (json_int_t)count));
    else if (back)
        printf("node %s gets tasks again\n", in->args[0]);
    else
        printf("node %s gets no more tasks; %llu task%s move%s away from it\n", in->args[0],
               (unsigned long long)count, count == 1 ? "" : "s", count == 1 ? "s" : "");
    tern_close(t);
    return code ? code : say_end_of_output(0);
}

#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static struct session *session_of(const struct tree_link *link)
{
    return tree_of(link, struct session, timer);
}

static int compare_lapses(const struct tree_link *a, const struct tree_link *b)
{
    const struct session *x = session_of(a), *y = session_of(b);

    if (x->timer_ns != y->timer_ns)
        return x->timer_ns < y->timer_ns ? -1 : 1;
    return order_u64(x->n, y->n);
}

void clients_init(struct agent *a)
{
    a->lapses.compare = compare_lapses;
}

/* ---------------------------------------------------------------- sessions, as facts have them */

struct session *session_make(struct agent *a, uint64_t n, struct owner *owner)
{
    struct session *s = agent_alloc(1, sizeof *s);

    s->n = n;
    s->owner = owner;
    check(directory_put(&a->sessions, n, s));
    a->session_count++;
    return s;
}

void session_free(struct agent *a, struct session *s)
{
    struct peer *p = s->peer ? agent_peer(a, s->peer) : NULL;

    if (p)
        p->session = NULL;
    if (tree_in(&s->timer))
        tree_remove(&a->lapses, &s->timer);
    directory_remove(&a->sessions, s->n);
    a->session_count--;
    free(s->answers);
    free(s);
}

/* A client has at most so many requests open: what is older, it has the answer of. */
void session_answer(struct session *s, const struct answer *answer)
{
    size_t kept = 0;

    if (answer->number > s->highest)
        s->highest = answer->number;
    for (size_t i = 0; i < s->answer_count; i++)
        if (s->answers[i].number + LIMIT_OUTSTANDING > s->highest)
            s->answers[kept++] = s->answers[i];
    s->answer_count = kept;
    if (!s->answers)
        s->answers = agent_alloc(LIMIT_OUTSTANDING + 1, sizeof *s->answers);
    if (s->answer_count <= LIMIT_OUTSTANDING)
        s->answers[s->answer_count++] = *answer;
}

const struct answer *session_find(const struct session *s, uint64_t number)
{
    for (size_t i = 0; i < s->answer_count; i++)
        if (s->answers[i].number == number)
            return &s->answers[i];
    return NULL;
}

static void lapse_at(struct agent *a, struct session *s, int64_t at_ns)
{
    if (tree_in(&s->timer))
        tree_remove(&a->lapses, &s->timer);
    s->timer_ns = at_ns;
    if (at_ns != INT64_MAX)
        tree_add(&a->lapses, &s->timer);
}

static void session_fact(struct agent *a, struct core_out *out, uint64_t n, const char *owner,
                         bool lapsed)
{
    Tern__Fact *f = core_store(out, a->now_ns);

    f->what_case = TERN__FACT__WHAT_SESSION;
    f->session = core_new(out, 1, sizeof *f->session);
    tern__session_known__init(f->session);
    f->session->session = n;
    f->session->owner = (char *)owner;
    f->session->lapsed = lapsed;
    agent_fact(a, f);
}

void clients_started(struct agent *a)
{
    uint64_t at = 0;
    struct session *s;

    for (; (s = directory_from(&a->sessions, at, &at)); at++)
        lapse_at(a, s, a->now_ns + a->config.session_ns);
}

void clients_due(struct agent *a, struct core_out *out)
{
    struct session *s;

    for (size_t i = 0; i < AGENT_PORTION; i++) {
        s = session_of(tree_first(&a->lapses));
        if (!s || s->timer_ns > a->now_ns)
            break;
        session_fact(a, out, s->n, s->owner->name, true);
    }
    s = session_of(tree_first(&a->lapses));
    if (s)
        core_wake(out, s->timer_ns);
}

static void release_names(struct agent *a, struct owner *o)
{
    struct tree_link *l;

    while ((l = tree_first(&o->names))) {
        struct name *n = tree_of(l, struct name, link);

        tree_remove(&o->names, l);
        root_unwant(a, n->root);
        free(n->name);
        free(n);
    }
}

void clients_release(struct agent *a)
{
    uint64_t at = 0;
    struct session *s;

    while ((s = directory_from(&a->sessions, at, &at)))
        session_free(a, s);
    directory_release(&a->sessions);
    for (struct tree_link *l = tree_first(&a->owners); l; l = tree_behind(&a->owners, l))
        release_names(a, tree_of(l, struct owner, link));
}

/* ---------------------------------------------------------------- coming and going */

static bool refuse(struct core_out *out, const struct peer *p, enum tern_err err, const char *text)
{
    core_refuse(out, p->n, 0, err, "%s", text);
    core_close(out, p->n);
    return false;
}

static bool old_session(struct agent *a, struct peer *p, uint64_t n, struct core_out *out)
{
    struct session *s = directory_get(&a->sessions, n);
    struct peer *before = s && s->peer ? agent_peer(a, s->peer) : NULL;

    if (!s)
        return refuse(out, p, TERN_ETIME,
                      "this session has lapsed: what it asked for last may have been done or not; "
                      "look (tern ps), and begin a new one");
    if (s->owner != p->owner)
        return refuse(out, p, TERN_EACCES, "this session belongs to another user");
    if (before) { /* it has come back before its old connection was gone */
        before->session = NULL;
        core_close(out, before->n);
    }
    lapse_at(a, s, INT64_MAX);
    s->peer = p->n;
    p->session = s;
    return true;
}

bool clients_up(struct agent *a, struct peer *p, const Tern__Hello *hello, struct core_out *out)
{
    uint64_t n = a->session_next;

    if (hello->session)
        return old_session(a, p, hello->session, out);
    if (a->session_count >= a->config.sessions_max)
        return refuse(out, p, TERN_EBUSY, "the agent has as many sessions as it takes; try later");
    session_fact(a, out, n, p->owner->name, false);
    p->session = directory_get(&a->sessions, n);
    p->session->peer = p->n;
    return true;
}

void clients_down(struct agent *a, struct peer *p, struct core_out *out)
{
    if (!p->session)
        return;
    p->session->peer = 0;
    lapse_at(a, p->session, a->now_ns + a->config.session_ns);
    core_wake(out, p->session->timer_ns);
}

/* ---------------------------------------------------------------- requests */

void clients_done(struct core_out *out, const struct peer *p, uint64_t number, uint64_t count)
{
    Tern__Envelope *e = core_answer(out, p->n, number);

    e->body_case = TERN__ENVELOPE__BODY_DONE;
    e->done = core_new(out, 1, sizeof *e->done);
    tern__done__init(e->done);
    e->done->count = count;
}

bool clients_which(struct agent *a, struct peer *p, uint64_t number, const Tern__Which *which,
                   struct task **t, struct job **j, struct core_out *out)
{
    *t = which && which->task ? task_get(a, which->task) : NULL;
    *j = which && !which->task && which->job ? job_get(a, which->job) : NULL;
    if ((*t && (*t)->job->owner == p->owner) || (*j && (*j)->owner == p->owner))
        return true;
    if (which && which->task)
        core_refuse(out, p->n, number, TERN_ENOENT,
                    "there is no task %llu of yours, or it has been forgotten",
                    (unsigned long long)which->task);
    else if (which && which->job)
        core_refuse(out, p->n, number, TERN_ENOENT,
                    "there is no job %llu of yours, or it has been forgotten",
                    (unsigned long long)which->job);
    else
        core_refuse(out, p->n, number, TERN_EUSAGE, "the request names neither a task nor a job");
    return false;
}

static void cancel_task(struct agent *a, struct core_out *out, struct task *t)
{
    if (t->node)
        node_order(a, t->node, TERN__ORDER_KIND__ORDER_STOP, t, out);
    task_end_text(a, out, t, TERN__TASK_STATE__TASK_CANCELLED, TERN__END_KIND__END_CANCELLED,
                  "cancelled");
}

static void on_cancel(struct agent *a, struct peer *p, const Tern__Envelope *e,
                      struct core_out *out)
{
    struct task *t;
    struct job *j;
    Tern__Fact *f;

    if (!clients_which(a, p, e->number, e->cancel->which, &t, &j, out))
        return;
    clients_done(out, p, e->number, t ? !task_ended(t) : j->tasks - j->ended);
    if (t && !task_ended(t))
        cancel_task(a, out, t);
    if (t || j->cancelled || j->tasks == j->ended)
        return;
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_CANCELLING;
    f->cancelling = core_new(out, 1, sizeof *f->cancelling);
    tern__cancelling__init(f->cancelling);
    f->cancelling->job = j->n;
    agent_fact(a, f);
}

void jobs_cancel_portion(struct agent *a, struct core_out *out)
{
    struct job *j = tree_of(tree_first(&a->cancelling), struct job, walk);
    uint64_t n;

    if (!j)
        return;
    for (size_t i = 0; i < AGENT_PORTION && (n = job_next_task(a, j, j->walked)); i++) {
        struct task *t = task_get(a, n);

        j->walked = n + 1;
        if (!task_ended(t))
            cancel_task(a, out, t);
    }
    if (!job_next_task(a, j, j->walked))
        tree_remove(&a->cancelling, &j->walk);
    if (a->cancelling.count)
        a->again = true;
}

static void expire(struct agent *a, struct core_out *out, struct task *t)
{
    if (t->node)
        node_order(a, t->node, TERN__ORDER_KIND__ORDER_STOP, t, out);
    task_end_text(a, out, t, TERN__TASK_STATE__TASK_FAILED, TERN__END_KIND__END_CANCELLED,
                  "it had not ended by its deadline; submit it again with a later one");
}

/* The job whose deadline has passed first; the next one comes with the next step. */
void jobs_expire_portion(struct agent *a, struct core_out *out)
{
    struct job *j = tree_of(tree_first(&a->deadlines), struct job, due);
    uint64_t n;

    if (!j)
        return;
    core_wake(out, j->due_ns);
    if (a->now_ns < j->due_ns)
        return;
    for (size_t i = 0; i < AGENT_PORTION && (n = job_next_task(a, j, j->expired)); i++) {
        struct task *t = task_get(a, n);

        j->expired = n + 1;
        if (!task_ended(t))
            expire(a, out, t);
    }
    if (!job_next_task(a, j, j->expired))
        tree_remove(&a->deadlines, &j->due);
    a->again = true;
}

static void on_forget(struct agent *a, struct peer *p, const Tern__Envelope *e,
                      struct core_out *out)
{
    struct task *t;
    struct job *j;
    uint64_t n = 0, *tasks;
    size_t count = 0;

    if (!clients_which(a, p, e->number, e->forget->which, &t, &j, out))
        return;
    if (t ? !task_ended(t) : j->ended < j->tasks) {
        core_refuse(out, p->n, e->number, TERN_EBUSY,
                    "it has not ended yet; cancel it first, or wait");
        return;
    }
    tasks = core_new(out, t ? 1 : j->tasks, sizeof *tasks);
    if (t)
        tasks[count++] = t->n;
    while (j && (n = job_next_task(a, j, n)))
        tasks[count++] = n++;
    tasks_forgotten(a, out, tasks, count);
    clients_done(out, p, e->number, count);
}

static void on_move(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    Tern__Which which = TERN__WHICH__INIT;
    struct node_at *to = *e->move->node ? node_find(a, e->move->node) : NULL;
    struct task *t;
    struct job *j;

    which.task = e->move->task;
    if (!clients_which(a, p, e->number, &which, &t, &j, out))
        return;
    if (t->state != TERN__TASK_STATE__TASK_RUNNING) {
        core_refuse(out, p->n, e->number, TERN_EBUSY, "task %llu does not run now",
                    (unsigned long long)t->n);
        return;
    }
    if (*e->move->node && !to) {
        core_refuse(out, p->n, e->number, TERN_ENOENT, "there is no node %s; see tern nodes",
                    e->move->node);
        return;
    }
    if (to && (to == t->node || !place_could(t, to))) {
        core_refuse(out, p->n, e->number, TERN_EBUSY, "%s",
                    to == t->node ? "it runs there already" : place_could_not(t, to, out));
        return;
    }
    if (!to)
        to = place_best(a, t, t->node, true);
    if (!to || !move_begin(a, out, t, to))
        core_refuse(out, p->n, e->number, TERN_EBUSY,
                    "no other node that could run it has a free slot now; see tern nodes");
    else
        clients_done(out, p, e->number, 1);
}

static void on_take_checkpoint(struct agent *a, struct peer *p, const Tern__Envelope *e,
                               struct core_out *out)
{
    struct task *t;
    struct job *j;
    uint64_t n = 0, count = 0;

    if (!clients_which(a, p, e->number, e->take_checkpoint->which, &t, &j, out))
        return;
    for (size_t looked = 0; looked < AGENT_PORTION * 64; looked++, n++) {
        if (j)
            n = job_next_task(a, j, n);
        if (j)
            t = n ? task_get(a, n) : NULL;
        if (!t)
            break;
        if (t->state == TERN__TASK_STATE__TASK_RUNNING &&
            node_order(a, t->node, TERN__ORDER_KIND__ORDER_CHECKPOINT, t, out))
            count++;
        if (!j)
            break;
    }
    if (t && !j && !count)
        core_refuse(out, p->n, e->number, TERN_EBUSY, "task %llu does not run now",
                    (unsigned long long)t->n);
    else
        clients_done(out, p, e->number, count);
}

static void on_drain(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    const struct node_at *n = node_find(a, e->drain->node);

    if (!n) {
        core_refuse(out, p->n, e->number, TERN_ENOENT, "there is no node %s; see tern nodes",
                    e->drain->node);
        return;
    }
    if (n->drained == e->drain->back)
        node_fact(a, out, n, !e->drain->back, n->losses);
    clients_done(out, p, e->number, n->tasks.count);
}

static void on_more_input(struct agent *a, struct peer *p, const Tern__Envelope *e,
                          struct core_out *out)
{
    const Tern__MoreInput *more = e->more_input;
    Tern__Which which = TERN__WHICH__INIT;
    struct task *t;
    struct job *j;

    which.task = more->task;
    if (!clients_which(a, p, e->number, &which, &t, &j, out))
        return;
    input_take(a, p, e, t, out);
}

void clients_message(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    if (!p->session)
        return; /* refused, or replaced by a newer connection */
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_SUBMIT: submit_take(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_WATCH: watch_take(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_CANCEL: on_cancel(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_QUERY: query_take(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_MOVE: on_move(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_TAKE_CHECKPOINT: on_take_checkpoint(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_DRAIN: on_drain(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_SET_NAME: names_take(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_ASK_DEPOTS: names_depots(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_MORE_INPUT: on_more_input(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_FORGET: on_forget(a, p, e, out); break;
    case TERN__ENVELOPE__BODY_BEAT: break;
    default:
        if (e->number)
            core_refuse(out, p->n, e->number, TERN_EPROTO,
                        "this agent does not know that request; is it older than the client?");
        break;
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/livequeue.h"

#include <string.h>

/* One that waits for each depth, one that comes, two that are in flight though their frames have
 * left. */
#define MAX_JOBS (SEG_LIVE_MAX_DEPTH + 3)

typedef enum { FREE, QUEUED, RUNNING, DONE } JobState;

/* Job i works in slot i + 1 of the pipe; slot 0 is for redraws. */
typedef struct {
  JobState state;
  GstBuffer *buffer;
  SegTiledFrame tiled;
  guint64 number;
  guint epoch;
  SegPipeWork work;
  gboolean left;        /* its frame has, or never comes back: free when it is done */
  gboolean failed;      /* when done */
  SegLiveAnswer answer; /* when done */
} Job;

struct _SegLiveQueue {
  SegPipe *pipe;
  SegFrameIo *io;
  guint depth, n_jobs;
  gboolean one_at_a_time;
  SegLiveHooks hooks;
  gpointer user_data;
  GThread *worker;
  GMutex draw_lock; /* held while slot 0 is drawn */

  GMutex lock; /* for what follows */
  GCond changed;
  Job jobs[MAX_JOBS];
  guint waiting[MAX_JOBS]; /* jobs whose frames have not left, in order */
  guint n_waiting;
  guint64 n_frames;
  SegLiveAnswer answer;
  guint epoch; /* flushes so far: answers of earlier frames are forgotten */
  gboolean flushing, stop;
  GError *error; /* the worker's, which stops: nothing leaves but frames done before */
};

/* --- jobs (with the lock) ------------------------------------------------------------------------- */

static Job *
find_job (SegLiveQueue *q, JobState state)
{
  Job *oldest = NULL;
  for (guint i = 0; i < q->n_jobs; i++) {
    Job *job = &q->jobs[i];
    if (job->state == state && (oldest == NULL || job->number < oldest->number))
      oldest = job;
  }
  return oldest;
}

static void
free_job (SegLiveQueue *q, Job *job)
{
  gst_clear_buffer (&job->buffer);
  job->state = FREE;
  g_cond_broadcast (&q->changed);
}

static void
drop_job (SegLiveQueue *q, Job *job)
{
  job->left = TRUE;
  if (job->state != RUNNING)
    free_job (q, job);
}

/* The first of those that wait waits no more. */
static guint
pop_waiting (SegLiveQueue *q)
{
  guint first = q->waiting[0];
  q->n_waiting--;
  memmove (q->waiting, q->waiting + 1, q->n_waiting * sizeof *q->waiting);
  return first;
}

/* One that frames can be shown with, if there is none yet. */
static gboolean
is_answer_coming (const SegLiveQueue *q)
{
  for (guint i = 0; i < q->n_jobs; i++) {
    const Job *job = &q->jobs[i];
    gboolean runs = job->state == RUNNING || (job->state == QUEUED && !q->stop);
    if (runs && job->work != SEG_PIPE_REDRAW && job->epoch == q->epoch)
      return TRUE;
  }
  return FALSE;
}

/* The one that was to come left before the worker had time for it. */
static gboolean
lacks_answer (const SegLiveQueue *q)
{
  return q->answer.number == 0 && !is_answer_coming (q);
}

static void
fill_job (SegLiveQueue *q, Job *job, GstBuffer *buffer, const SegTiledFrame *tiled,
    SegPipeWork work)
{
  *job = (Job){ QUEUED, buffer, *tiled, q->n_frames, q->epoch, work };
  g_cond_broadcast (&q->changed);
}

/* --- the worker ----------------------------------------------------------------------------------- */

static guint
slot_of (const SegLiveQueue *q, const Job *job)
{
  return (guint) (job - q->jobs) + 1;
}

/* It has been done, or not, which stops the queue at once: nobody may take it for an answer, though another may
 * be in flight, which may be an earlier one and good. error (taken) says why, unless the queue has one: what
 * failed was another, and this one never ran. */
static void
complete_job (SegLiveQueue *q, Job *job, gboolean ok, GError *error)
{
  g_mutex_lock (&q->lock);
  job->failed = !ok;
  q->stop = q->stop || job->failed;
  if (q->error == NULL)
    q->error = g_steal_pointer (&error);
  if (!job->failed && job->work != SEG_PIPE_REDRAW && job->epoch == q->epoch)
    q->answer = (SegLiveAnswer){ job->number, GST_BUFFER_PTS (job->buffer) };
  job->answer = q->answer;
  job->state = DONE;
  if (job->left)
    free_job (q, job);
  g_cond_broadcast (&q->changed);
  g_mutex_unlock (&q->lock);
  g_clear_error (&error);
}

/* What comes next is not smoothed with a frame that a flush has overtaken. */
static void
forget_if_flushed (SegLiveQueue *q, const Job *job)
{
  g_mutex_lock (&q->lock);
  if (job->epoch != q->epoch)
    seg_pipe_forget (q->pipe);
  g_mutex_unlock (&q->lock);
}

static gboolean
start_job (SegLiveQueue *q, Job *job, GError **error)
{
  guint slot = slot_of (q, job);
  if (seg_frame_io_load (q->io, q->pipe, slot, job->buffer, &job->tiled, error)
      && seg_pipe_slot_submit (q->pipe, slot, job->work, error)) {
    forget_if_flushed (q, job);
    return TRUE;
  }
  seg_frame_io_release (q->io, slot);
  return FALSE;
}

static gboolean
finish_job (SegLiveQueue *q, Job **pjob)
{
  Job *job = *pjob;
  GError *error = NULL;
  *pjob = NULL;
  if (job == NULL)
    return TRUE;
  guint slot = slot_of (q, job);
  gboolean ok = seg_pipe_slot_wait (q->pipe, slot, &error);
  seg_frame_io_release (q->io, slot);
  if (ok && job->work != SEG_PIPE_REDRAW)
    q->hooks.inferred (q->user_data, seg_pipe_slot_ms (q->pipe, slot));
  complete_job (q, job, ok, error);
  return ok;
}

static gboolean
restyle (SegLiveQueue *q, Job **flying, GError **error)
{
  if (!q->hooks.wants_style (q->user_data))
    return TRUE;
  if (!finish_job (q, flying))
    return FALSE;
  g_mutex_lock (&q->draw_lock);
  gboolean ok = q->hooks.take_style (q->user_data, error);
  g_mutex_unlock (&q->draw_lock);
  return ok;
}

/* The next frame to look at; NULL: there is none, and something else to do. */
static Job *
take_job (SegLiveQueue *q, gboolean wait)
{
  Job *job = NULL;
  g_mutex_lock (&q->lock);
  while (!q->stop && (job = find_job (q, QUEUED)) == NULL && wait)
    g_cond_wait (&q->changed, &q->lock);
  if (job != NULL)
    job->state = RUNNING;
  g_mutex_unlock (&q->lock);
  return job;
}

/* One frame after the other; the next is on its way before the last is waited for. */
static void
work (SegLiveQueue *q, Job **flying)
{
  GError *error = NULL;
  Job *job = take_job (q, *flying == NULL);
  if (job == NULL) {
    finish_job (q, flying);
  } else if (!restyle (q, flying, &error) || !start_job (q, job, &error)) {
    complete_job (q, job, FALSE, error);
  } else {
    finish_job (q, flying);
    *flying = job;
    if (q->one_at_a_time)
      finish_job (q, flying);
  }
}

static gboolean
is_stopped (SegLiveQueue *q)
{
  g_mutex_lock (&q->lock);
  gboolean stop = q->stop;
  g_mutex_unlock (&q->lock);
  return stop;
}

static gpointer
work_on (gpointer data)
{
  SegLiveQueue *q = data;
  Job *flying = NULL;
  while (!is_stopped (q))
    work (q, &flying);
  finish_job (q, &flying);
  return NULL;
}

/* --- the streaming thread --------------------------------------------------------------------------- */

SegLiveQueue *
seg_live_queue_new (SegPipe *pipe, SegFrameIo *io, guint depth, gboolean one_at_a_time,
    const SegLiveHooks *hooks, gpointer user_data)
{
  SegLiveQueue *q = g_new0 (SegLiveQueue, 1);
  q->pipe = pipe;
  q->io = io;
  q->depth = MIN (depth, SEG_LIVE_MAX_DEPTH);
  q->n_jobs = q->depth + 3;
  q->one_at_a_time = one_at_a_time;
  q->hooks = *hooks;
  q->user_data = user_data;
  g_mutex_init (&q->lock);
  g_mutex_init (&q->draw_lock);
  g_cond_init (&q->changed);
  q->worker = g_thread_new ("vksegment", work_on, q);
  return q;
}

void
seg_live_queue_free (SegLiveQueue **pq)
{
  SegLiveQueue *q = *pq;
  *pq = NULL;
  if (q == NULL)
    return;
  g_mutex_lock (&q->lock);
  q->stop = TRUE;
  g_cond_broadcast (&q->changed);
  g_mutex_unlock (&q->lock);
  g_thread_join (q->worker);
  for (guint i = 0; i < q->n_jobs; i++)
    gst_clear_buffer (&q->jobs[i].buffer);
  g_clear_error (&q->error);
  g_mutex_clear (&q->lock);
  g_mutex_clear (&q->draw_lock);
  g_cond_clear (&q->changed);
  g_free (q);
}

guint64
seg_live_queue_push (
    SegLiveQueue *q, GstBuffer *buffer, const SegTiledFrame *tiled, SegPipeWork work)
{
  g_mutex_lock (&q->lock);
  guint64 number = ++q->n_frames;
  while (q->n_waiting > q->depth) /* they were due, but downstream took none */
    drop_job (q, &q->jobs[pop_waiting (q)]);
  Job *job = find_job (q, FREE); /* there is one: see MAX_JOBS */
  fill_job (q, job, buffer, tiled, lacks_answer (q) ? SEG_PIPE_INFER : work);
  q->waiting[q->n_waiting++] = (guint) (job - q->jobs);
  g_mutex_unlock (&q->lock);
  return number;
}

guint64
seg_live_queue_offer (SegLiveQueue *q, GstBuffer *buffer, const SegTiledFrame *tiled,
    gboolean look, GstBuffer **skipped)
{
  *skipped = NULL;
  g_mutex_lock (&q->lock);
  guint64 number = ++q->n_frames;
  look = look || lacks_answer (q);
  Job *job = look ? find_job (q, QUEUED) : NULL;
  if (job != NULL) {
    *skipped = g_steal_pointer (&job->buffer);
    free_job (q, job);
  }
  job = look ? find_job (q, FREE) : NULL;
  if (job != NULL) {
    fill_job (q, job, gst_buffer_ref (buffer), tiled, SEG_PIPE_INFER_ONLY);
    job->left = TRUE;
  }
  g_mutex_unlock (&q->lock);
  return number;
}

static gboolean
copy_error (const SegLiveQueue *q, GError **error)
{
  if (q->error != NULL && error != NULL && *error == NULL)
    *error = g_error_copy (q->error);
  return FALSE;
}

static void
let_go (SegLiveQueue *q, SegLiveFrame *frame)
{
  Job *job = &q->jobs[pop_waiting (q)];
  *frame = (SegLiveFrame){ gst_buffer_ref (job->buffer), job->tiled, job->number,
    job->state == DONE, slot_of (q, job), job->answer };
  if (frame->drawn)
    gst_clear_buffer (&job->buffer); /* that it may be writable */
  else
    drop_job (q, job);
}

/* The first that waits: what runs comes to its end, also when the queue has stopped. */
static gboolean
is_to_come (const SegLiveQueue *q)
{
  JobState state = q->jobs[q->waiting[0]].state;
  return state == RUNNING || (state == QUEUED && !q->stop);
}

static gboolean
is_good (const SegLiveQueue *q)
{
  const Job *first = &q->jobs[q->waiting[0]];
  return first->state == DONE && !first->failed;
}

gboolean
seg_live_queue_next (
    SegLiveQueue *q, SegLivePolicy policy, SegLiveFrame *frame, GError **error)
{
  gboolean there = FALSE;
  g_mutex_lock (&q->lock);
  gboolean full = q->n_waiting > q->depth;
  gboolean wait = policy == SEG_LIVE_WAIT || (policy == SEG_LIVE_FULL && full);
  while (wait && q->n_waiting > 0 && !q->flushing && is_to_come (q))
    g_cond_wait (&q->changed, &q->lock);
  if (q->error != NULL && !(q->n_waiting > 0 && (is_to_come (q) || is_good (q))))
    copy_error (q, error);
  else if (q->n_waiting > 0 && !q->flushing)
    there =
        wait || full || policy == SEG_LIVE_NOW || q->jobs[q->waiting[0]].state == DONE;
  if (there)
    let_go (q, frame);
  g_mutex_unlock (&q->lock);
  return there;
}

void
seg_live_queue_release (SegLiveQueue *q, SegLiveFrame *frame)
{
  g_mutex_lock (&q->lock);
  if (frame->drawn)
    free_job (q, &q->jobs[frame->slot - 1]);
  g_mutex_unlock (&q->lock);
  gst_clear_buffer (&frame->buffer);
}

gboolean
seg_live_queue_answer (
    SegLiveQueue *q, gboolean wait, SegLiveAnswer *answer, GError **error)
{
  g_mutex_lock (&q->lock);
  while (wait && q->answer.number == 0 && !q->flushing && is_answer_coming (q))
    g_cond_wait (&q->changed, &q->lock);
  *answer = q->answer;
  gboolean ok = q->error == NULL || copy_error (q, error);
  g_mutex_unlock (&q->lock);
  return ok;
}

gboolean
seg_live_queue_redraw (SegLiveQueue *q, const SegLiveFrame *frame, GError **error)
{
  gboolean ok =
      seg_frame_io_load (q->io, q->pipe, 0, frame->buffer, &frame->tiled, error);
  g_mutex_lock (&q->draw_lock);
  ok = ok && seg_pipe_slot_submit (q->pipe, 0, SEG_PIPE_REDRAW, error)
       && seg_pipe_slot_wait (q->pipe, 0, error);
  g_mutex_unlock (&q->draw_lock);
  seg_frame_io_release (q->io, 0);
  return ok;
}

/* After an error: what is in flight comes to its end, and nothing is left of it. */
static void
restart (SegLiveQueue *q)
{
  g_thread_join (q->worker);
  g_clear_error (&q->error);
  q->stop = FALSE;
  q->worker = g_thread_new ("vksegment", work_on, q);
}

void
seg_live_queue_flush (SegLiveQueue *q)
{
  g_mutex_lock (&q->lock);
  for (guint i = 0; i < q->n_jobs; i++)
    if (q->jobs[i].state != FREE)
      drop_job (q, &q->jobs[i]);
  q->n_waiting = 0;
  q->epoch++;
  q->answer = (SegLiveAnswer){ 0, GST_CLOCK_TIME_NONE };
  gboolean stopped = q->stop;
  g_mutex_unlock (&q->lock);
  if (stopped)
    restart (q);
}

static gboolean
is_busy (SegLiveQueue *q)
{
  return find_job (q, RUNNING) != NULL || (!q->stop && find_job (q, QUEUED) != NULL);
}

gboolean
seg_live_queue_idle (SegLiveQueue *q)
{
  g_mutex_lock (&q->lock);
  while (!q->flushing && is_busy (q))
    g_cond_wait (&q->changed, &q->lock);
  gboolean idle = !is_busy (q);
  g_mutex_unlock (&q->lock);
  return idle;
}

void
seg_live_queue_set_flushing (SegLiveQueue *q, gboolean flushing)
{
  g_mutex_lock (&q->lock);
  q->flushing = flushing;
  g_cond_broadcast (&q->changed);
  g_mutex_unlock (&q->lock);
}

guint
seg_live_queue_length (SegLiveQueue *q)
{
  g_mutex_lock (&q->lock);
  guint n = q->n_waiting;
  g_mutex_unlock (&q->lock);
  return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/parallel.h"

#define MOST_THREADS 16

typedef struct {
  gint next; /* atomic */
  guint n;
  void (*f) (guint i, gpointer data);
  gpointer data;
} Work;

static gpointer
work (gpointer data)
{
  Work *w = data;
  for (;;) {
    guint i = (guint) g_atomic_int_add (&w->next, 1);
    if (i >= w->n)
      return NULL;
    w->f (i, w->data);
  }
}

void
seg_parallel (guint n, void (*f) (guint i, gpointer data), gpointer data)
{
  Work w = { 0, n, f, data };
  GThread *threads[MOST_THREADS];
  guint most = MIN (MIN (g_get_num_processors (), n), MOST_THREADS), started = 0;
  while (started + 1 < most
         && (threads[started] = g_thread_try_new ("vkseg", work, &w, NULL)) != NULL)
    started++;
  work (&w);
  for (guint i = 0; i < started; i++)
    g_thread_join (threads[i]);
}

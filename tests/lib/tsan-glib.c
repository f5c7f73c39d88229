/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked into tests that are built with -Db_sanitize=thread. GLib's mutexes and conditions are futexes of its
 * own, and what counts references is inside GLib and GStreamer, none of which ThreadSanitizer sees: all
 * that they guard would look like a race. These functions stand in front of theirs, and say what comes
 * before what. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <glib.h>

/* GCC's and Clang's sanitizer/tsan_interface.h */
void __tsan_acquire (void *address);
void __tsan_release (void *address);

/* They stand in front for GLib's and GStreamer's own use too: a queue's lock is what hands a buffer on. */
#pragma GCC visibility push(default)

/* A name that is looked up once; twice gives the same. */
static gpointer
find (gpointer *real, const char *name)
{
  if (g_atomic_pointer_get (real) == NULL)
    g_atomic_pointer_set (real, dlsym (RTLD_NEXT, name));
  return g_atomic_pointer_get (real);
}

#define REAL(result, name, ...)                                                          \
  static gpointer real_##name;                                                           \
  result (*real) (__VA_ARGS__) = (result (*) (__VA_ARGS__)) find (&real_##name, #name)

/* --- mutexes and conditions ---------------------------------------------------------------------- */

void
g_mutex_lock (GMutex *mutex)
{
  REAL (void, g_mutex_lock, GMutex *);
  real (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  REAL (gboolean, g_mutex_trylock, GMutex *);
  gboolean locked = real (mutex);
  if (locked)
    __tsan_acquire (mutex);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  REAL (void, g_mutex_unlock, GMutex *);
  __tsan_release (mutex);
  real (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (void, g_cond_wait, GCond *, GMutex *);
  __tsan_release (mutex);
  real (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  REAL (gboolean, g_cond_wait_until, GCond *, GMutex *, gint64);
  __tsan_release (mutex);
  gboolean signalled = real (cond, mutex, end);
  __tsan_acquire (mutex);
  return signalled;
}

/* --- once ------------------------------------------------------------------------------------------ */

#undef g_once_init_enter
#undef g_once_init_leave

gboolean
g_once_init_enter (volatile void *location)
{
  REAL (gboolean, g_once_init_enter, volatile void *);
  gboolean first = real (location);
  __tsan_acquire ((void *) location);
  return first;
}

/* Whoever finds it done has only read it, atomically: so it is written where the sanitizer looks. */
void
g_once_init_leave (volatile void *location, gsize result)
{
  REAL (void, g_once_init_leave, volatile void *, gsize);
  __tsan_release ((void *) location);
  real (location, result);
  __atomic_store_n ((volatile gsize *) location, result, __ATOMIC_RELEASE);
}

/* --- threads of a pool ------------------------------------------------------------------------------ */

typedef struct {
  GFunc f;
  gpointer user_data;
} Work;

static void
work (gpointer data, gpointer user_data)
{
  const Work *w = user_data;
  __tsan_acquire (data);
  w->f (data, w->user_data);
}

/* One that lives as long as the process, for each pool. */
GThreadPool *
g_thread_pool_new (
    GFunc f, gpointer user_data, gint max_threads, gboolean exclusive, GError **error)
{
  REAL (GThreadPool *, g_thread_pool_new, GFunc, gpointer, gint, gboolean, GError **);
  Work *w = g_new (Work, 1);
  *w = (Work){ f, user_data };
  return real (work, w, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  REAL (gboolean, g_thread_pool_push, GThreadPool *, gpointer, GError **);
  __tsan_release (data);
  return real (pool, data, error);
}

/* --- references: what was done to a thing comes before its end ---------------------------------------- */

#define UNREF(name)                                                                      \
  void name (gpointer thing);                                                            \
  void name (gpointer thing)                                                             \
  {                                                                                      \
    REAL (void, name, gpointer);                                                         \
    __tsan_release (thing);                                                              \
    __tsan_acquire (thing);                                                              \
    real (thing);                                                                        \
  }

UNREF (gst_mini_object_unref)
UNREF (gst_object_unref)

#undef g_object_unref
void
g_object_unref (gpointer object)
{
  REAL (void, g_object_unref, gpointer);
  __tsan_release (object);
  __tsan_acquire (object);
  real (object);
}

void
g_bytes_unref (GBytes *bytes)
{
  REAL (void, g_bytes_unref, GBytes *);
  __tsan_release (bytes);
  __tsan_acquire (bytes);
  real (bytes);
}

void
g_ptr_array_unref (GPtrArray *array)
{
  REAL (void, g_ptr_array_unref, GPtrArray *);
  __tsan_release (array);
  __tsan_acquire (array);
  real (array);
}

#pragma GCC visibility pop

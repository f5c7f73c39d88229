/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/registry.h"
#include "onnx/model.h"

#include <glib/gstdio.h>

static gpointer
make (gpointer path, GError **error)
{
  return seg_model_load (path, error);
}

static void
destroy (gpointer model)
{
  seg_model_unref (model);
}

static SegRegistry models = SEG_REGISTRY (make, destroy, NULL);

/* A file that is written anew has another name here. */
static char *
name_of (const char *path)
{
  GStatBuf st;
  if (g_stat (path, &st) != 0)
    return g_strdup (path); /* the load says what is wrong */
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT ".%09ld %s",
      (guint64) st.st_dev, (guint64) st.st_ino, (gint64) st.st_size,
      (gint64) st.st_mtim.tv_sec, st.st_mtim.tv_nsec, path);
}

SegModel *
seg_model_get (const char *path, GError **error)
{
  g_autofree char *name = name_of (path);
  return seg_registry_get (&models, name, (gpointer) path, error);
}

void
seg_model_put (SegModel **model)
{
  seg_registry_put (&models, *model);
  *model = NULL;
}

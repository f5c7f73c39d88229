/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proposals/search.h"

#include <opencv2/ximgproc/segmentation.hpp>

#include <new>
#include <vector>

using cv::ximgproc::segmentation::createSelectiveSearchSegmentation;

static void
search (const cv::Mat &picture, bool quality, GArray *proposals)
{
  std::vector<cv::Rect> rects;
  auto selective_search = createSelectiveSearchSegmentation ();
  selective_search->setBaseImage (picture);
  if (quality)
    selective_search->switchToSelectiveSearchQuality ();
  else
    selective_search->switchToSelectiveSearchFast ();
  selective_search->process (rects);
  for (const cv::Rect &r : rects) {
    SegProposal proposal = { static_cast<guint> (r.x), static_cast<guint> (r.y),
      static_cast<guint> (r.width), static_cast<guint> (r.height) };
    g_array_append_val (proposals, proposal);
  }
}

gboolean
seg_selective_search (const guint8 *bgr, guint width, guint height, gsize stride_bytes,
    gboolean quality, GArray *proposals, GError **error)
{
  try {
    const cv::Mat picture (static_cast<int> (height), static_cast<int> (width), CV_8UC3,
        const_cast<guint8 *> (bgr), stride_bytes);
    search (picture, quality, proposals);
    return TRUE;
  } catch (const std::bad_alloc &) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "selective search in %ux%u pixels: not enough memory", width, height);
  } catch (const std::exception &e) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "selective search in %ux%u pixels: %s", width, height, e.what ());
  }
  return FALSE;
}

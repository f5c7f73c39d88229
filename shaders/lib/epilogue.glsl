// SPDX-License-Identifier: LGPL-2.1-or-later
// The last steps of a kernel, SegEpilogue of gst/graph/act.h: act, residual, act2. The host
// side is gst/ops/epilogue.h. Use: declare a samplerBuffer for the residual, always; fetch
// from it only `if (EPILOGUE_RESIDUAL)`, and store epilogue (v, residual).
#include "act.glsl"

layout (constant_id = 9) const int EPILOGUE_ACT = 0;
layout (constant_id = 10) const float EPILOGUE_A = 0.0;
layout (constant_id = 11) const float EPILOGUE_B = 0.0;
layout (constant_id = 12) const bool EPILOGUE_RESIDUAL = false;
layout (constant_id = 13) const int EPILOGUE_ACT2 = 0;
layout (constant_id = 14) const float EPILOGUE_A2 = 0.0;
layout (constant_id = 15) const float EPILOGUE_B2 = 0.0;

vec4 epilogue (vec4 v, vec4 residual)
{
  v = act_apply (v, EPILOGUE_ACT, EPILOGUE_A, EPILOGUE_B);
  if (EPILOGUE_RESIDUAL)
    v += residual;
  return act_apply (v, EPILOGUE_ACT2, EPILOGUE_A2, EPILOGUE_B2);
}

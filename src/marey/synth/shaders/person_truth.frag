#version 330
#include figure.glsl
uniform vec2 size;
uniform float who;
in vec3 v_place;
in vec4 v_last, v_next, v_now;
in float v_arm;
flat in int v_part;
layout(location = 0) out vec4 thing;   // who, depth now, on the next frame and on the last
layout(location = 1) out vec4 flow;    // to the next frame, to the last, in pixels
void main() {
    if (!exists(v_part, v_place, v_arm)) discard;
    vec2 now = v_now.xy / v_now.w;
    thing = vec4(who, v_now.w, v_next.w, v_last.w);
    flow = vec4((v_next.xy / v_next.w - now) * 0.5 * size, (v_last.xy / v_last.w - now) * 0.5 * size);
}
